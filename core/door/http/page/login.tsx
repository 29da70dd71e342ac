/** Pages to log in, log out and register. */
import { BargeError } from "../../../error.ts";
import { makeVerifier } from "../../../protocol/verifier.ts";
import { logName } from "../../../login/log_name.ts";
import { bounded } from "../../../login/password.ts";
import { register } from "../../../login/register.ts";
import { beginWebSession, endWebSession } from "../../../login/web_session.ts";
import { statusOf } from "../problem.ts";
import { Csrf, Gate, Icon, Note, send } from "./layout.tsx";
import { checkPassword, NewPassword } from "./password.tsx";
import { errorText } from "./messages.ts";
import { backOf, formOf, type PageContext, setLoginCookie, type View, viewOf } from "./view.ts";

/** GET /login. */
export async function showLogin(c: PageContext): Promise<Response> {
  const view = await viewOf(c);
  if (view.session) return c.redirect(backOf(view.query.get("back")), 303);
  return await send(<Login view={view} back={view.query.get("back") ?? ""} />);
}

/** POST /login. */
export async function login(c: PageContext): Promise<Response> {
  const view = await viewOf(c);
  const form = await formOf(view);
  const name = (form.get("name") ?? "").trim();
  const back = form.get("back") ?? "";
  const { exchange, store } = view;
  exchange.access.login = true;
  exchange.access.account = await logName(store, name);
  const { host, ended: { signal: gone } } = exchange;
  try {
    const credentials = { name, secret: form.get("password") ?? "", host, gone };
    const agent = exchange.header("user-agent") ?? "";
    const secret = await beginWebSession(store, credentials, agent, (ms) => exchange.pause(ms));
    exchange.access.login = false;
    setLoginCookie(c, secret);
    return c.redirect(backOf(back), 303);
  } catch (error) {
    if (!(error instanceof BargeError)) throw error;
    exchange.failed = error;
    return await send(
      <Login view={view} back={back} name={name} error={errorText(error)} />,
      statusOf(error),
    );
  }
}

/** POST /logout. */
export async function logout(c: PageContext): Promise<Response> {
  const view = await viewOf(c);
  await formOf(view);
  if (view.session) await endWebSession(view.session, view.login);
  setLoginCookie(c, "");
  return c.redirect("/login?notice=out", 303);
}

function Login(
  { view, back, name, error }: { view: View; back: string; name?: string; error?: string },
) {
  const loggedOut = view.query.get("notice") === "out";
  return (
    <Gate view={view} title="Log in">
      <form class="card" method="post" action="/login">
        <h1>Log in</h1>
        {error && <Note bad>{error}</Note>}
        {!error && loggedOut && <Note>You are logged out.</Note>}
        {!error && back && <Note>Log in to continue.</Note>}
        <Csrf view={view} />
        <input type="hidden" name="back" value={back} />
        <div class="field">
          <label for="name">Name</label>
          <input
            id="name"
            name="name"
            value={name}
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
            autofocus={!name}
          />
        </div>
        <div class="field">
          <label for="password">Password</label>
          <input
            id="password"
            name="password"
            type="password"
            autocomplete="current-password"
            required
            autofocus={!!name}
          />
        </div>
        <button type="submit" class="b main">Log in</button>
        {view.store.settings.allowRegister && (
          <p class="soft">
            New here? <a href="/register">Create an account</a>
          </p>
        )}
      </form>
    </Gate>
  );
}

/** GET /register. */
export async function showRegister(c: PageContext): Promise<Response> {
  return await send(<Register view={await viewOf(c)} />);
}

/** POST /register: creates the account and logs it in. */
export async function makeAccount(c: PageContext): Promise<Response> {
  const view = await viewOf(c);
  const form = await formOf(view);
  const name = (form.get("name") ?? "").trim();
  const password = form.get("password") ?? "";
  const { exchange, store } = view;
  try {
    if (!store.settings.allowRegister) {
      throw new BargeError("refused", "only this server's operator creates accounts");
    }
    checkPassword(store, password, form.get("again"));
    const { host, ended: { signal: gone } } = exchange;
    const client = { account: name, host };
    const verifier = await bounded(() => makeVerifier("password", password), gone, client);
    await register(store, { verb: "register", account: name, verifier }, host);
    const credentials = { name, secret: password, host: exchange.host };
    const agent = exchange.header("user-agent") ?? "";
    setLoginCookie(c, await beginWebSession(store, credentials, agent, (ms) => exchange.pause(ms)));
    return c.redirect("/files/home/?notice=welcome", 303);
  } catch (error) {
    if (!(error instanceof BargeError)) throw error;
    exchange.failed = error;
    return await send(
      <Register view={view} name={name} error={errorText(error)} />,
      statusOf(error),
    );
  }
}

function Register({ view, name, error }: { view: View; name?: string; error?: string }) {
  const allowed = view.store.settings.allowRegister;
  return (
    <Gate view={view} title="Create an account">
      <form class="card" method="post" action="/register">
        <h1>Create an account</h1>
        {error && <Note bad>{error}</Note>}
        {!allowed && <Note bad>Only this server's operator creates accounts.</Note>}
        <Csrf view={view} />
        {allowed && (
          <>
            <div class="field">
              <label for="name">Name</label>
              <input
                id="name"
                name="name"
                value={name}
                autocomplete="username"
                autocapitalize="none"
                spellcheck={false}
                required
                autofocus
              />
            </div>
            <NewPassword store={view.store} />
            <button type="submit" class="b main">Create the account</button>
          </>
        )}
        <p class="soft">
          <a href="/login">
            <Icon name="person" /> Log in instead
          </a>
        </p>
      </form>
    </Gate>
  );
}
