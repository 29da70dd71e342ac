/** Pages to create, list and revoke an account's share links. */
import { dayMs, hourMs } from "../../../duration.ts";
import type { BargeError } from "../../../error.ts";
import {
  defaultLinkMs,
  type Link,
  revokeShare,
  share,
  type ShareRequest,
  shares,
} from "../../../session/share.ts";
import { stat } from "../../../session/stat.ts";
import { encodePath, split } from "../path.ts";
import { iconOf, sectionOf } from "./folder.tsx";
import { ButtonForm, DialogForm, Field } from "./form.tsx";
import { counted } from "../../../counted.ts";
import { Icon, PageHead, send, Shell, Time } from "./layout.tsx";
import { formFailure, formOf, type PageContext, type UserView, userView } from "./view.ts";

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
      <PageHead view={view}>
        <h1>Links</h1>
      </PageHead>
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
  const { id, path, kind, created, expires, maxDownloads, downloads, password, state } = link;
  const { name } = split(path);
  const live = state === "live";
  const verb = live ? "Revoke" : "Forget";
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
          {states[state]} {maxDownloads === null ? counted(downloads, "download") : (
            `${downloads} of ${counted(maxDownloads, "download")}`
          )}. {live ? "Expires" : "Created"}: <Time at={live ? expires : created} />
        </small>
        <small class="mono">{path}</small>
      </div>
      <ButtonForm
        view={view}
        action="/links/revoke"
        label={verb}
        fullLabel={`${verb} ${name}`}
        field={["id", id]}
        data-act
      />
    </li>
  );
}

/** POST /links/revoke. */
export async function revokeLink(c: PageContext): Promise<Response> {
  const view = await userView(c);
  const form = await formOf(view);
  await revokeShare(view.session, form.get("id") ?? "");
  return c.redirect("/links?notice=unlinked", 303);
}

/** GET /links/new?path=PATH. */
export async function showLinkForm(c: PageContext): Promise<Response> {
  const view = await userView(c);
  const path = view.query.get("path") ?? "";
  await stat(view.session, path);
  return await sendLinkForm(view, path);
}

/** POST /links/new. */
export async function makeLink(c: PageContext): Promise<Response> {
  const view = await userView(c);
  const form = await formOf(view);
  const path = form.get("path") ?? "";
  view.exchange.logEntry.path = path;
  try {
    const made = await share(view.session, requestOf(path, form));
    return await send(
      <Shell view={view} title="Link" section="links">
        <NewLink link={made.link} href={`/s/${made.token}`} base={view.exchange.base} />
      </Shell>,
    );
  } catch (error) {
    return await sendLinkForm(view, path, formFailure(view, error));
  }
}

function requestOf(path: string, form: URLSearchParams): ShareRequest {
  const life = Number(form.get("life"));
  const maxDownloads = (form.get("most") ?? "").trim();
  return {
    path,
    expires: life > 0 ? Date.now() + life : undefined,
    password: form.get("password") || null,
    maxDownloads: maxDownloads === "" ? null : Number(maxDownloads),
  };
}

async function sendLinkForm(view: UserView, path: string, failed?: BargeError): Promise<Response> {
  return await send(
    <Shell view={view} title="Share" section={sectionOf(path)}>
      <LinkForm view={view} path={path} failed={failed} />
    </Shell>,
    failed,
  );
}

function LinkForm({ view, path, failed }: { view: UserView; path: string; failed?: BargeError }) {
  return (
    <DialogForm
      view={view}
      title={`Share “${split(path).name}”`}
      failed={failed}
      action="/links/new"
      cancel={`/about${encodePath(path)}`}
      label="Create a link"
    >
      <p class="soft">
        Everyone with the link can download it, without an account. The link ends if you move or
        remove the item; if you replace it, the link gives the new one.
      </p>
      <input type="hidden" name="path" value={path} />
      <div class="field">
        <label for="life">The link expires</label>
        <select id="life" name="life" autofocus>
          {offeredLifetimes(view).map(([ms, label]) => (
            <option value={ms ?? ""} selected={ms === defaultLinkMs || ms === null}>{label}</option>
          ))}
        </select>
      </div>
      <Field
        id="most"
        label="Most downloads"
        hint="empty: no limit"
        type="number"
        min="1"
        max="1000000"
        step="1"
        required={false}
      />
      <Field
        id="link-password"
        label="Password"
        hint="empty: none"
        name="password"
        type="password"
        autocomplete="new-password"
        maxlength={1024}
        required={false}
      />
    </DialogForm>
  );
}

/** Returns the lifetimes that the token of the login allows. Where a week is too long, the default is null: its end. */
function offeredLifetimes({ session }: UserView): readonly (readonly [number | null, string])[] {
  const { expires } = session.scope;
  if (expires === null) return lifetimes;
  const left = expires - Date.now();
  const shorter = lifetimes.filter(([ms]) => ms < left);
  return left > defaultLinkMs ? shorter : [...shorter, [null, "with the token of this login"]];
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
