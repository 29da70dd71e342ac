/** The frame of every page, and how a page is sent. */
import { randomBytes } from "node:crypto";
import type { Child } from "hono/jsx";
import { formatSize } from "../../../size.ts";
import { quota } from "../../../session/quota.ts";
import { asset } from "./assets.ts";
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

/** The current entry of the navigation. */
export type Section = "home" | "public" | "links" | "admin" | "account" | "none";

interface PlaceLink {
  readonly section: Section;
  readonly href: string;
  readonly icon: string;
  readonly label: string;
  readonly admin?: boolean;
}

/** The entries of the navigation, in order. */
const places: readonly PlaceLink[] = [
  { section: "home", href: "/files/home/", icon: "home", label: "Home" },
  { section: "public", href: "/files/public/", icon: "public", label: "Public" },
  { section: "links", href: "/links", icon: "link", label: "Links" },
  { section: "admin", href: "/admin", icon: "admin", label: "Admin", admin: true },
];

function Head({ title, theme }: { title: string; theme: View["theme"] }) {
  return (
    <head>
      <meta charset="utf-8" />
      <title>{`${title} · barge`}</title>
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content={theme ?? "light dark"} />
      <link rel="icon" type="image/svg+xml" href={asset("icon.svg")} />
      <link rel="stylesheet" href={asset("page.css")} />
      <script type="module" src={asset("main.js")}></script>
    </head>
  );
}

/** A page with a login. */
export function Shell(
  { view, title, section, children }: {
    view: UserView;
    title: string;
    section: Section;
    children: Child;
  },
) {
  return (
    <html lang="en" data-theme={view.theme}>
      <Head title={title} theme={view.theme} />
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <div class="shell">
          <Side view={view} section={section} />
          <main id="main" tabindex={-1}>{children}</main>
        </div>
        <p class="toast" id="toast" role="status" aria-live="polite"></p>
      </body>
    </html>
  );
}

async function Side({ view, section }: { view: UserView; section: Section }) {
  const { name, role } = await view.session.account();
  return (
    <header class="side">
      <a class="brand" href="/files/home/">
        <Icon name="barge" />barge
      </a>
      <nav class="places" aria-label="Places">
        <ul>
          {places.filter(({ admin }) => !admin || role === "admin").map((place) => (
            <li>
              <a href={place.href} aria-current={place.section === section ? "page" : undefined}>
                <Icon name={place.icon} />
                {place.label}
              </a>
            </li>
          ))}
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

/** The quota meter. */
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

/** A page without a login: one card in the middle. */
export function Gate(
  { view, title, wide, children }: { view: View; title: string; wide?: boolean; children: Child },
) {
  return (
    <html lang="en" data-theme={view.theme}>
      <Head title={title} theme={view.theme} />
      <body>
        <div class={wide ? "gate wide" : "gate"}>
          <header class="brand">
            <Icon name="barge" />barge
          </header>
          <main id="main">{children}</main>
        </div>
        <p class="toast" id="toast" role="status" aria-live="polite"></p>
      </body>
    </html>
  );
}

/**
 * The policy allows nothing from other origins and nothing inline. Uploaded files have the page's own
 * origin, so a script needs the nonce of its page; the modules that it imports inherit it.
 */
const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "media-src 'self'",
  "frame-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Sends a page. */
export async function send(page: Child, status = 200): Promise<Response> {
  const nonce = randomBytes(16).toString("base64");
  const text = (await `${await (page as { toString(): string | Promise<string> }).toString()}`)
    .replace("<script ", `<script nonce="${nonce}" `); // rendering escapes `<` in text
  return new Response(`<!DOCTYPE html>${text}`, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": `${policy}; script-src 'nonce-${nonce}'`,
      // With a stricter policy, browsers would send `Origin: null` with the page's own forms.
      "referrer-policy": "same-origin",
    },
  });
}
