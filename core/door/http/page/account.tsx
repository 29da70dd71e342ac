/** The page of the own account: quota, logins, tokens, password. */
import { formatLimit, formatSize, parseSize } from "../../../size.ts";
import { BargeError } from "../../../error.ts";
import { makeVerifier } from "../../../protocol/verifier.ts";
import { bounded, logIn } from "../../../login/password.ts";
import { changePassword } from "../../../login/change_password.ts";
import { grow, quota } from "../../../session/quota.ts";
import { token, tokens } from "../../../login/token.ts";
import { continueAsWebSession, endWebSession, webSessions } from "../../../login/web_session.ts";
import { nothing, statusOf } from "../problem.ts";
import { entriesOf, formatTime } from "./format.ts";
import { Csrf, Icon, Note, send, Shell } from "./layout.tsx";
import { checkPassword, NewPassword } from "./password.tsx";
import { errorText, noticeText } from "./messages.ts";
import { formOf, type PageContext, setLoginCookie, type UserView, userView } from "./view.ts";

/** GET /account. */
export async function showAccount(c: PageContext): Promise<Response> {
  const view = await userView(c);
  return await send(<Account view={view} notice={noticeText(view.query.get("notice"))} />);
}

type Change = (c: PageContext, view: UserView, form: URLSearchParams) => Promise<string>;

/** The changes by their form's name. Each returns the code of its notice; see messages.ts. */
const changes: Readonly<Record<string, Change>> = {
  async password(c, view, form) {
    const { store, exchange, session } = view;
    const password = form.get("password") ?? "";
    checkPassword(store, password, form.get("again"));
    const { host, ended: { signal: gone } } = exchange;
    const { name } = await session.account();
    const pause = (ms: number) => exchange.pause(ms);
    const newLogin = await logIn(store, { name, secret: form.get("old") ?? "", host, gone }, pause);
    const client = { account: name, host };
    const verifier = await bounded(() => makeVerifier("password", password), gone, client);
    exchange.admit(newLogin); // the change ends the current login
    newLogin.credential = await changePassword(newLogin, verifier);
    const agent = exchange.header("user-agent") ?? "";
    setLoginCookie(c, await continueAsWebSession(newLogin, agent, host));
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
      const made = await token(view.session, { verb: "token", action: "issue", label });
      return await send(<Account view={view} token={made.token ?? ""} />);
    }
    if (!Object.hasOwn(changes, change)) throw nothing();
    return c.redirect(`/account?notice=${await changes[change](c, view, form)}`, 303);
  } catch (error) {
    if (!(error instanceof BargeError)) throw error;
    view.exchange.failed = error;
    const text = change === "password" && error.kind === "unauthenticated"
      ? "The old password is wrong."
      : errorText(error);
    return await send(<Account view={view} error={text} />, statusOf(error));
  }
}

async function Account(
  { view, notice, error, token }: {
    view: UserView;
    notice?: string;
    error?: string;
    token?: string;
  },
) {
  const { name, role } = await view.session.account();
  return (
    <Shell view={view} title="Account" section="account">
      <div class="head" data-notice={notice}>
        <h1 class="grow">{name}</h1>
        {role === "admin" && <span class="soft">admin</span>}
        <form method="post" action="/logout">
          <Csrf view={view} />
          <button type="submit" class="b">Log out</button>
        </form>
      </div>
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
        <Quota view={view} />
        <Logins view={view} />
        <Tokens view={view} />
        <form class="card stack" method="post" action="/account/password">
          <h2>Change the password</h2>
          <p class="soft">All other logins and all tokens end; SSH keys stay.</p>
          <Csrf view={view} />
          <input type="hidden" name="name" value={name} autocomplete="username" />
          <div class="field">
            <label for="old">Old password</label>
            <input id="old" name="old" type="password" autocomplete="current-password" required />
          </div>
          <NewPassword store={view.store} />
          <div class="row end">
            <button type="submit" class="b main">Change the password</button>
          </div>
        </form>
      </div>
    </Shell>
  );
}

async function Quota({ view }: { view: UserView }) {
  const { used, limit, entries = 0, entryLimit } = await quota(view.session);
  const { maxLimit } = view.store.settings;
  const canGrow = limit !== null && (maxLimit === null || maxLimit > limit);
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
                {address}, used{" "}
                <time datetime={new Date(seen).toISOString()}>{formatTime(seen)}</time>
              </small>
            </div>
            {id !== view.login && <IdForm view={view} change="end" id={id} label="Log out" />}
          </li>
        ))}
      </ul>
    </section>
  );
}

async function Tokens({ view }: { view: UserView }) {
  const own = await tokens(view.session);
  return (
    <section class="card stack">
      <h2>Tokens</h2>
      <p class="soft">For scripts and apps, in place of the password.</p>
      {own.length > 0 && (
        <ul class="plain">
          {own.map(({ id, label, used }) => (
            <li>
              <div class="grow">
                <div>{label}</div>
                <small>
                  {used === null ? "never used" : (
                    <>
                      used <time datetime={new Date(used).toISOString()}>{formatTime(used)}</time>
                    </>
                  )}
                </small>
              </div>
              <IdForm view={view} change="revoke" id={id} label="Revoke" />
            </li>
          ))}
        </ul>
      )}
      <form class="row" method="post" action="/account/token">
        <Csrf view={view} />
        <label class="sr" for="label">Purpose of the token</label>
        <input
          id="label"
          name="label"
          class="short"
          placeholder="Purpose"
          maxlength={100}
        />
        <button type="submit" class="b">
          <Icon name="link" />Create a token
        </button>
      </form>
    </section>
  );
}

/** A form with one button, which changes the login or token with an id. */
function IdForm(
  { view, change, id, label }: { view: UserView; change: string; id: string; label: string },
) {
  return (
    <form method="post" action={`/account/${change}`}>
      <Csrf view={view} />
      <input type="hidden" name="id" value={id} />
      <button type="submit" class="b">{label}</button>
    </form>
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
  const first = (names: readonly (readonly [RegExp, string])[]) =>
    names.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = first([
    [/\bEdg/, "Edge"],
    [/\bFirefox\//, "Firefox"],
    [/Chrome\//, "Chrome"],
    [/\bSafari\//, "Safari"],
  ]);
  const system = first([
    [/iPhone|iPad/, "iOS"],
    [/Android/, "Android"],
    [/Windows/, "Windows"],
    [/Mac OS X/, "macOS"],
    [/Linux/, "Linux"],
  ]);
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? (agent.slice(0, 60) || "a program");
}
