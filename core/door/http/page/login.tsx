/** Pages to log in, log out and register. */
import type { BargeError } from "../../../error.ts";
import { logName } from "../../../login/log_name.ts";
import { beginWebSession, endWebSession } from "../../../login/web_session.ts";
import { FactorNeeded } from "../../../login/second_factor.ts";
import { registerAccount } from "../register.ts";
import { sendNextStep, takeNextStep } from "./second_factor/login_step.tsx";
import { Failure, Field, NameField, NewPassword, newPasswordOf } from "./form.tsx";
import { CardPage, Csrf, Icon, Note, send } from "./layout.tsx";
import {
  agentOf,
  backOf,
  formFailure,
  formOf,
  type PageContext,
  setLoginCookie,
  type View,
  viewOf,
} from "./view.ts";

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
  if (form.has("ticket")) return await takeNextStep(c, view, form);
  const name = (form.get("name") ?? "").trim();
  const back = form.get("back") ?? "";
  const { exchange, store } = view;
  exchange.access.login = true;
  exchange.access.account = await logName(store, name);
  const { host, ended: { signal: gone }, pause } = exchange;
  try {
    const credentials = {
      name,
      secret: form.get("password") ?? "",
      host,
      door: "http",
      gone,
    } as const;
    const secret = await beginWebSession(store, credentials, agentOf(exchange), pause);
    exchange.access.login = false;
    setLoginCookie(c, secret);
    return c.redirect(backOf(back), 303);
  } catch (error) {
    if (error instanceof FactorNeeded) return await sendNextStep(view, error, back);
    const failed = formFailure(view, error);
    return await send(<Login view={view} back={back} name={name} failed={failed} />, failed);
  }
}

/** POST /logout. */
export async function logout(c: PageContext): Promise<Response> {
  const view = await viewOf(c);
  await formOf(view);
  if (view.session) await endWebSession(view.session, view.login, view.login);
  setLoginCookie(c, "");
  return c.redirect("/login?notice=out", 303);
}

function Login(
  { view, back, name, failed }: { view: View; back: string; name?: string; failed?: BargeError },
) {
  const loggedOut = view.query.get("notice") === "out";
  return (
    <CardPage view={view} title="Log in">
      <form class="card" method="post" action="/login">
        <h1>Log in</h1>
        <Failure failed={failed} />
        {!failed && loggedOut && <Note>You are logged out.</Note>}
        {!failed && back && <Note>Log in to continue.</Note>}
        <Csrf view={view} />
        <input type="hidden" name="back" value={back} />
        <NameField value={name} autocomplete="username" autofocus={!name} />
        <Field
          id="password"
          label="Password"
          type="password"
          autocomplete="current-password"
          autofocus={!!name}
        />
        <button type="submit" class="b main">Log in</button>
        {view.store.settings.allowRegister && (
          <p class="soft">
            New here? <a href="/register">Create an account</a>
          </p>
        )}
      </form>
    </CardPage>
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
  const { exchange, store } = view;
  try {
    const password = newPasswordOf(store, form);
    await registerAccount(exchange, { name, password });
    const { host, pause } = exchange;
    const credentials = { name, secret: password, host, door: "http" } as const;
    setLoginCookie(c, await beginWebSession(store, credentials, agentOf(exchange), pause));
    return c.redirect("/files/home/?notice=welcome", 303);
  } catch (error) {
    if (error instanceof FactorNeeded) return await sendNextStep(view, error, "");
    const failed = formFailure(view, error);
    return await send(<Register view={view} name={name} failed={failed} />, failed);
  }
}

function Register({ view, name, failed }: { view: View; name?: string; failed?: BargeError }) {
  const allowed = view.store.settings.allowRegister;
  return (
    <CardPage view={view} title="Create an account">
      <form class="card" method="post" action="/register">
        <h1>Create an account</h1>
        <Failure failed={failed} />
        {!allowed && <Note bad>Only this server's operator creates accounts.</Note>}
        <Csrf view={view} />
        {allowed && (
          <>
            <NameField value={name} autocomplete="username" autofocus />
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
    </CardPage>
  );
}
