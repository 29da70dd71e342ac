/** Pages to create, list and revoke the own share links. */
import { BargeError } from "../../../error.ts";
import {
  defaultLinkMs,
  type Link,
  revokeShare,
  share,
  type ShareRequest,
  shares,
} from "../../../session/share.ts";
import { stat } from "../../../session/stat.ts";
import { statusOf } from "../problem.ts";
import { encodePath } from "../path.ts";
import { iconOf, sectionOf } from "./folder.tsx";
import { count, formatTime, split } from "./format.ts";
import { Csrf, Icon, Note, send, Shell } from "./layout.tsx";
import { errorText, noticeText } from "./messages.ts";
import { formOf, type PageContext, type UserView, userView } from "./view.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The lifetimes that the form offers. */
const lifetimes: readonly (readonly [ms: number, label: string])[] = [
  [hourMs, "in an hour"],
  [dayMs, "in a day"],
  [defaultLinkMs, "in a week"],
  [30 * dayMs, "in a month"],
  [365 * dayMs, "in a year"],
];

/** GET /links. */
export async function showLinks(c: PageContext): Promise<Response> {
  const view = await userView(c);
  const links = await shares(view.session);
  return await send(
    <Shell view={view} title="Links" section="links">
      <div class="head" data-notice={noticeText(view.query.get("notice"))}>
        <h1>Links</h1>
      </div>
      {links.length === 0 ? <Empty /> : (
        <ul class="cards">
          {links.map((link) => <LinkItem view={view} link={link} />)}
        </ul>
      )}
    </Shell>,
  );
}

function Empty() {
  return (
    <div class="list empty">
      <Icon name="link" />
      <h2>No links yet</h2>
      <p>
        With a link, people without an account can download a file or folder of yours. Choose More
        at a file, then Share.
      </p>
    </div>
  );
}

const states: Readonly<Record<Link["state"], string>> = {
  live: "",
  expired: "It has expired.",
  "used-up": "It has no downloads left.",
  gone: "Its file or folder was moved or removed.",
};

function LinkItem({ view, link }: { view: UserView; link: Link }) {
  const { id, path, kind, created, expires, most, downloads, password, state } = link;
  const { name } = split(path);
  const live = state === "live";
  return (
    <li class="card item">
      <Icon name={kind === "dir" ? "folder" : iconOf(name)} />
      <div class="grow">
        <div>
          {state === "gone" ? <strong>{name}</strong> : (
            <a href={`/about${encodePath(path)}`}>
              <strong>{name}</strong>
            </a>
          )} {password && <span class="tag">password</span>}
          {!live && <span class="tag bad">ended</span>}
        </div>
        <small>
          {states[state]} {most === null ? count(downloads, "download") : (
            `${downloads} of ${count(most, "download")}`
          )}. {live
            ? (
              <>
                Expires: <Time at={expires} />
              </>
            )
            : (
              <>
                Created: <Time at={created} />
              </>
            )}
        </small>
        <small class="mono">{path}</small>
      </div>
      <form method="post" action="/links/revoke" data-act>
        <Csrf view={view} />
        <input type="hidden" name="id" value={id} />
        <button type="submit" class="b" aria-label={`${live ? "Revoke" : "Forget"} ${name}`}>
          {live ? "Revoke" : "Forget"}
        </button>
      </form>
    </li>
  );
}

function Time({ at }: { at: number }) {
  return <time datetime={new Date(at).toISOString()}>{formatTime(at)}</time>;
}

/** POST /links/revoke. */
export async function revokeLink(c: PageContext): Promise<Response> {
  const view = await userView(c);
  const form = await formOf(view);
  await revokeShare(view.session, form.get("id") ?? "");
  return c.redirect("/links?notice=unlinked", 303);
}

/** GET /links/new?path=PATH. */
export async function askLink(c: PageContext): Promise<Response> {
  const view = await userView(c);
  const path = view.query.get("path") ?? "";
  await stat(view.session, path);
  return await ask(view, path);
}

/** POST /links/new. */
export async function makeLink(c: PageContext): Promise<Response> {
  const view = await userView(c);
  const form = await formOf(view);
  const path = form.get("path") ?? "";
  view.exchange.asked.path = path;
  try {
    const made = await share(view.session, requestOf(path, form));
    return await send(
      <Shell view={view} title="Link" section="links">
        <NewLink link={made.link} href={`/s/${made.token}`} base={view.exchange.base} />
      </Shell>,
    );
  } catch (error) {
    if (!(error instanceof BargeError)) throw error;
    view.exchange.failed = error;
    return await ask(view, path, error);
  }
}

function requestOf(path: string, form: URLSearchParams): ShareRequest {
  const life = Number(form.get("life"));
  const most = (form.get("most") ?? "").trim();
  return {
    path,
    expires: life > 0 ? Date.now() + life : undefined,
    password: form.get("password") || null,
    most: most === "" ? null : Number(most),
  };
}

async function ask(view: UserView, path: string, failed?: BargeError): Promise<Response> {
  return await send(
    <Shell view={view} title="Share" section={sectionOf(path)}>
      <Ask view={view} path={path} error={failed && errorText(failed)} />
    </Shell>,
    failed ? statusOf(failed) : 200,
  );
}

function Ask({ view, path, error }: { view: UserView; path: string; error?: string }) {
  return (
    <form class="card ask" method="post" action="/links/new" data-question>
      <h1>Share “{split(path).name}”</h1>
      {error && <Note bad>{error}</Note>}
      <p class="soft">
        Everyone with the link can download it, without an account. The link ends if you move or
        remove the item; if you replace it, the link gives the new one.
      </p>
      <Csrf view={view} />
      <input type="hidden" name="path" value={path} />
      <div class="field">
        <label for="life">The link expires</label>
        <select id="life" name="life" autofocus>
          {lifetimes.map(([ms, label]) => (
            <option value={ms} selected={ms === defaultLinkMs}>{label}</option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="most">
          Most downloads <small>(empty: no limit)</small>
        </label>
        <input id="most" name="most" type="number" min="1" max="1000000" step="1" />
      </div>
      <div class="field">
        <label for="link-password">
          Password <small>(empty: none)</small>
        </label>
        <input
          id="link-password"
          name="password"
          type="password"
          autocomplete="new-password"
          maxlength={1024}
        />
      </div>
      <div class="row end">
        <a class="b flat" href={`/about${encodePath(path)}`} data-cancel>Cancel</a>
        <button type="submit" class="b main" data-default>Create a link</button>
      </div>
    </form>
  );
}

function NewLink({ link, href, base }: { link: Link; href: string; base: string }) {
  return (
    <div class="card ask" data-question>
      <h1>The link to “{split(link.path).name}”</h1>
      <p class="soft">Copy the link now; it can't be shown again.</p>
      <div class="digest link">
        <code class="grow" id="link" data-link={href}>{base + href}</code>
        <button type="button" class="b" data-copy="link" hidden>
          <Icon name="copy" />Copy
        </button>
      </div>
      <div class="row end">
        <a class="b flat" href="/links">All links</a>
        <a class="b main" href={`/about${encodePath(link.path)}`} data-cancel data-default>Done</a>
      </div>
    </div>
  );
}
