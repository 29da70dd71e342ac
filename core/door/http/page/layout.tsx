/** The frame of every page, and how a page is sent. */
import { randomBytes } from "node:crypto";
import type { Child } from "hono/jsx";
import { formatSize } from "../../../size.ts";
import type { BargeError } from "../../../error.ts";
import { isRestricted } from "../../../login/scope.ts";
import { quota } from "../../../session/quota.ts";
import { statusOf } from "../problem.ts";
import { asset } from "./assets.ts";
import { noticeText } from "./messages.ts";
import type { UserView, View } from "./view.ts";

/** An icon from assets/icons.svg. */
export function Icon({ name, class: more = "" }: { name: string; class?: string }) {
  return (
    <svg class={`i ${more}`} aria-hidden="true">
      <use href={`${asset("icons.svg")}#${name}`} />
    </svg>
  );
}

/** The field that proves that a form comes from this page. */
export function Csrf({ view }: { view: View }) {
  return <input type="hidden" name="csrf" value={view.csrf} />;
}

/** An error or a notice. */
export function Note({ children, bad }: { children: Child; bad?: boolean }) {
  return (
    <div class={bad ? "note bad" : "note"} role={bad ? "alert" : "status"}>
      <Icon name={bad ? "alert" : "check"} />
      <div>{children}</div>
    </div>
  );
}

/** A time in UTC; the script converts it to the reader's time zone. */
export function Time({ at }: { at: string | number }) {
  const iso = new Date(at).toISOString();
  return <time datetime={iso}>{iso.slice(0, 16).replace("T", " ")}</time>;
}

/** A row of a `dl`. */
export function Fact(
  { term, class: className, children }: { term: string; class?: string; children: Child },
) {
  return (
    <div>
      <dt>{term}</dt>
      <dd class={className}>{children}</dd>
    </div>
  );
}

/** The SHA-256 of a file, with a button to copy it. */
export function Digest({ sha256 }: { sha256: string | null }) {
  return (
    <Fact term="SHA-256" class="digest">
      <code class="grow" id="sha256">
        {sha256 ?? "unknown: the file was not uploaded through barge"}
      </code>
      {sha256 !== null && (
        <button
          type="button"
          class="b flat icon"
          data-copy="sha256"
          aria-label="Copy the SHA-256"
          title="Copy"
          hidden
        >
          <Icon name="copy" />
        </button>
      )}
    </Fact>
  );
}

/** The head of a page's content; the script shows the notice of the URL. */
export function PageHead(
  { view, children, ...attributes }: { view: View; id?: string; children: Child },
) {
  return (
    <div class="head" data-notice={noticeText(view.query.get("notice"))} {...attributes}>
      {children}
    </div>
  );
}

/** The current entry of the navigation. */
export type Section = "home" | "public" | "links" | "admin" | "account" | "none";

/** The entries of the navigation, in order. */
const places: readonly (readonly [Section, href: string, icon: string, label: string])[] = [
  ["home", "/files/home/", "home", "Home"],
  ["public", "/files/public/", "public", "Public"],
  ["links", "/links", "link", "Links"],
  ["admin", "/admin", "admin", "Admin"],
];

interface DocumentProps {
  readonly view: View;
  readonly title: string;
  readonly children: Child;
}

function Document({ view: { theme }, title, children }: DocumentProps) {
  return (
    <html lang="en" data-theme={theme}>
      <head>
        <meta charset="utf-8" />
        <title>{`${title} · barge`}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content={theme ?? "light dark"} />
        <link rel="icon" type="image/svg+xml" href={asset("icon.svg")} />
        <link rel="stylesheet" href={asset("page.css")} />
        <script type="module" src={asset("main.js")}></script>
      </head>
      <body>
        {children}
        <p class="toast" id="toast" role="status" aria-live="polite"></p>
      </body>
    </html>
  );
}

/** A page with a login. */
export function Shell(
  { view, title, section, children }: DocumentProps & { view: UserView; section: Section },
) {
  return (
    <Document view={view} title={title}>
      <a class="skip" href="#main">Skip to the content</a>
      <div class="shell">
        <Side view={view} section={section} />
        <main id="main" tabindex={-1}>{children}</main>
      </div>
    </Document>
  );
}

async function Side({ view, section }: { view: UserView; section: Section }) {
  const { name, role } = await view.session.account();
  const restricted = isRestricted(view.session.scope);
  const only = view.session.wayIn("/");
  const isShown = (place: Section) =>
    place === "admin"
      ? role === "admin" && !restricted
      : place === "links"
      ? !restricted
      : only === undefined || place === only;
  return (
    <header class="side">
      <a class="brand" href="/files/home/">
        <Icon name="barge" />barge
      </a>
      <nav class="places" aria-label="Places">
        <ul>
          {places.filter(([place]) => isShown(place)).map(
            ([place, href, icon, label]) => (
              <li>
                <a href={href} aria-current={place === section ? "page" : undefined}>
                  <Icon name={icon} />
                  {label}
                </a>
              </li>
            ),
          )}
        </ul>
      </nav>
      <QuotaMeter view={view} />
      <div class="who">
        <a href="/account" aria-current={section === "account" ? "page" : undefined}>
          <Icon name="person" />
          <span>{name}</span>
        </a>
        <form method="post" action="/theme" data-theme-form>
          <Csrf view={view} />
          <input type="hidden" name="back" value={view.exchange.target.path} />
          <input type="hidden" name="theme" value={view.theme === "dark" ? "light" : "dark"} />
          <button
            type="submit"
            class="b flat icon"
            aria-label="Light or dark"
            title="Light or dark"
          >
            <Icon name="sun" class="sun" />
            <Icon name="moon" class="moon" />
          </button>
        </form>
      </div>
    </header>
  );
}

async function QuotaMeter({ view }: { view: UserView }) {
  const { used, reserved, limit, left } = await quota(view.session);
  const taken = used + reserved;
  if (limit === null || left === null) {
    return (
      <section class="room" id="room" aria-label="Your quota" data-left="none">
        <p>
          <b>{formatSize(taken)}</b> used, no limit
        </p>
      </section>
    );
  }
  const full = left < limit * 0.05;
  return (
    <section class={full ? "room full" : "room"} id="room" aria-label="Your quota" data-left={left}>
      <p>
        <b>{formatSize(left)}</b> left<br /> of {formatSize(limit)}
        {reserved > 0 && ` · ${formatSize(reserved)} reserved for uploads`}
      </p>
      <svg
        class="meter"
        viewBox="0 0 100 6"
        preserveAspectRatio="none"
        role="meter"
        aria-label="Quota used"
        aria-valuemin={0}
        aria-valuemax={limit}
        aria-valuenow={Math.min(taken, limit)}
        aria-valuetext={`${formatSize(taken)} of ${formatSize(limit)}`}
      >
        <rect width={Math.min(100, 100 * taken / Math.max(1, limit))} height="6" />
      </svg>
    </section>
  );
}

/** A page for visitors without a login: one card in the middle. */
export function CardPage({ view, title, wide, children }: DocumentProps & { wide?: boolean }) {
  return (
    <Document view={view} title={title}>
      <div class={wide ? "gate wide" : "gate"}>
        <header class="brand">
          <Icon name="barge" />barge
        </header>
        <main id="main">{children}</main>
      </div>
    </Document>
  );
}

/**
 * The policy allows nothing from other origins and nothing inline. Uploaded files have the page's own
 * origin, so a script needs the nonce of its page; the modules that it imports inherit it.
 */
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; " +
  "frame-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Sends a page, with the status of the failure that it shows. */
export async function send(page: Child, failed?: BargeError): Promise<Response> {
  const nonce = randomBytes(16).toString("base64");
  const text = `${await (page as { toString(): string | Promise<string> }).toString()}`
    .replace("<script ", `<script nonce="${nonce}" `); // rendering escapes `<` in text
  return new Response(`<!DOCTYPE html>${text}`, {
    status: failed ? statusOf(failed) : 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": `${policy}; script-src 'nonce-${nonce}'`,
      // With a stricter policy, browsers would send `Origin: null` with the page's own forms.
      "referrer-policy": "same-origin",
    },
  });
}
