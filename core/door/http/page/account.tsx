/** The page of the account that is logged in: quota, logins, tokens, password. */
import { formatLimit, formatSize, parseSize } from "../../../size.ts";
import { BargeError } from "../../../error.ts";
import { logIn } from "../../../login/password.ts";
import { changePassword } from "../../../login/change_password.ts";
import { grow, quota } from "../../../session/quota.ts";
import { token } from "../../../login/token.ts";
import { continueAsWebSession, endWebSession, webSessions } from "../../../login/web_session.ts";
import { unknownUrl } from "../problem.ts";
import { passwordVerifier } from "../register.ts";
import { ButtonForm, CardForm, Field, NewPassword, newPasswordOf } from "./form.tsx";
import { entriesOf } from "./format.ts";
import { Csrf, Icon, Note, PageHead, send, Shell, Time } from "./layout.tsx";
import { errorText } from "./messages.ts";
import { CodeField } from "./second_factor/code_field.tsx";
import { SecondFactor } from "./second_factor/account.tsx";
import { isForFilesOnly, OwnLimits, scopeOfForm, Tokens } from "./tokens.tsx";
import {
  agentOf,
  formFailure,
  formOf,
  type PageContext,
  setLoginCookie,
  type UserView,
  userView,
} from "./view.ts";

/** GET /account. */
export async function showAccount(c: PageContext): Promise<Response> {
  return await send(<Account view={await userView(c)} />);
}

type Change = (c: PageContext, view: UserView, form: URLSearchParams) => Promise<string>;

/** The changes by their form's name. Each returns the code of its notice; see messages.ts. */
const changes: Readonly<Record<string, Change>> = {
  async password(c, view, form) {
    const { store, exchange, session } = view;
    const password = newPasswordOf(store, form);
    const { host, ended: { signal: gone }, pause } = exchange;
    const { name } = await session.account();
    const credentials = { name, secret: form.get("old") ?? "", host, door: "http", gone } as const;
    const second = { code: form.get("code") ?? undefined };
    const newLogin = await logIn(store, { ...credentials, second }, pause);
    const verifier = await passwordVerifier(exchange, name, password);
    exchange.admit(newLogin); // the change ends the current login
    newLogin.credential = await changePassword(newLogin, verifier);
    setLoginCookie(c, await continueAsWebSession(newLogin, agentOf(exchange), host));
    return "password";
  },
  async grow(_, { session }, form) {
    const limit = parseSize(form.get("limit") ?? "");
    if (limit === undefined) {
      throw new BargeError("usage", "that is not a size, such as 500 MB or 20 GiB");
    }
    await grow(session, limit);
    return "grown";
  },
  async end(_, { session }, form) {
    await endWebSession(session, form.get("id") ?? "");
    return "ended";
  },
  async revoke(_, { session }, form) {
    await token(session, { verb: "token", action: "revoke", id: form.get("id") ?? "" });
    return "revoked";
  },
};

/** POST /account/CHANGE. */
export async function changeAccount(c: PageContext): Promise<Response> {
  const view = await userView(c);
  const form = await formOf(view);
  const change = c.req.param("change") ?? "";
  try {
    if (change === "token") {
      const label = (form.get("label") ?? "").trim() || "created on the page";
      const scope = scopeOfForm(form);
      const made = await token(view.session, { verb: "token", action: "issue", label, ...scope });
      return await send(<Account view={view} token={made.token ?? ""} />);
    }
    if (!Object.hasOwn(changes, change)) throw unknownUrl();
    return c.redirect(`/account?notice=${await changes[change](c, view, form)}`, 303);
  } catch (error) {
    const failed = formFailure(view, error);
    const text = change === "password" && failed.kind === "unauthenticated"
      ? form.has("code") ? "The old password or the code is wrong." : "The old password is wrong."
      : errorText(failed);
    return await send(<Account view={view} error={text} />, failed);
  }
}

async function Account(
  { view, error, token }: { view: UserView; error?: string; token?: string },
) {
  const { name, role, totp } = await view.session.account();
  return (
    <Shell view={view} title="Account" section="account">
      <PageHead view={view}>
        <h1 class="grow">{name}</h1>
        {role === "admin" && <span class="soft">admin</span>}
        <ButtonForm view={view} action="/logout" label="Log out" />
      </PageHead>
      <div class="stack narrow">
        {error && <Note bad>{error}</Note>}
        {token && (
          <Note>
            <p>Copy the token now; it can't be shown again:</p>
            <code id="token">{token}</code>{" "}
            <button type="button" class="b" data-copy="token" hidden>
              <Icon name="copy" />Copy
            </button>
          </Note>
        )}
        <OwnLimits view={view} />
        <Quota view={view} />
        {!isForFilesOnly(view) && <Logins view={view} />}
        {!isForFilesOnly(view) && <Tokens view={view} />}
        {!isForFilesOnly(view) && <SecondFactor view={view} />}
        {!isForFilesOnly(view) && <Password view={view} name={name} totp={totp} />}
      </div>
    </Shell>
  );
}

function Password({ view, name, totp }: { view: UserView; name: string; totp: boolean }) {
  return (
    <CardForm
      view={view}
      action="/account/password"
      title="Change the password"
      label="Change the password"
      main
    >
      <p class="soft">All other logins and all tokens end; SSH keys stay.</p>
      <input type="hidden" name="name" value={name} autocomplete="username" />
      <Field id="old" label="Old password" type="password" autocomplete="current-password" />
      {totp && <CodeField id="password-code" />}
      <NewPassword store={view.store} />
    </CardForm>
  );
}

async function Quota({ view }: { view: UserView }) {
  const { used, limit, entries = 0, entryLimit } = await quota(view.session);
  const { maxLimit } = view.store.settings;
  const canGrow = !isForFilesOnly(view) && limit !== null &&
    (maxLimit === null || maxLimit > limit);
  return (
    <section class="card stack">
      <h2>Quota</h2>
      <p>
        {limit === null
          ? `${formatSize(used)} used, no limit.`
          : `${formatSize(used)} of ${formatSize(limit)} used.`}
        {limit !== null && !canGrow && " Only this server's operator can raise the quota."}
      </p>
      <p class="soft">{entriesOf(entries, entryLimit)}</p>
      {canGrow && (
        <form class="row" method="post" action="/account/grow">
          <Csrf view={view} />
          <label for="limit">New quota</label>
          <input
            id="limit"
            name="limit"
            class="short"
            placeholder={maxLimit === null ? "20 GB" : formatLimit(maxLimit)}
            required
          />
          <button type="submit" class="b">Raise</button>
          {maxLimit !== null && <small>at most {formatLimit(maxLimit)}</small>}
        </form>
      )}
    </section>
  );
}

async function Logins({ view }: { view: UserView }) {
  return (
    <section class="card stack">
      <h2>Where you are logged in</h2>
      <ul class="plain">
        {(await webSessions(view.session)).map(({ id, agent, address, seen }) => (
          <li>
            <div class="grow">
              <div>{browserOf(agent)}{id === view.login && <strong>, this one</strong>}</div>
              <small>
                {address}, used <Time at={seen} />
              </small>
            </div>
            {id !== view.login && (
              <ButtonForm view={view} action="/account/end" label="Log out" field={["id", id]} />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/**
 * Returns the name of a browser, by its User-Agent.
 *
 * @example
 * ```ts
 * import { browserOf } from "./account.tsx";
 * const agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/128.0 Safari/537.36";
 * if (browserOf(agent) !== "Chrome on Linux") throw new Error();
 * ```
 */
export function browserOf(agent: string): string {
  const nameIn = (patterns: Readonly<Record<string, RegExp>>) =>
    Object.keys(patterns).find((name) => patterns[name].test(agent));
  const browser = nameIn({
    Edge: /\bEdg/,
    Firefox: /\bFirefox\//,
    Chrome: /Chrome\//,
    Safari: /\bSafari\//,
  });
  const system = nameIn({
    iOS: /iPhone|iPad/,
    Android: /Android/,
    Windows: /Windows/,
    macOS: /Mac OS X/,
    Linux: /Linux/,
  });
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? (agent.slice(0, 60) || "a program");
}
