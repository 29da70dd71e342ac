/** The second factor on the account's page. Each change asks for the password, since an open browser is not enough. */
import { BargeError } from "../../../../error.ts";
import { logIn } from "../../../../login/password.ts";
import type { SecondStep } from "../../../../login/second_factor.ts";
import type { Session } from "../../../../login/session.ts";
import { disableTotp, enableTotp, renewRecoveryCodes, totpStatus } from "../../../../login/totp.ts";
import { continueAsWebSession } from "../../../../login/web_session.ts";
import { unknownUrl } from "../../problem.ts";
import { Field } from "../form.tsx";
import { counted } from "../../../../counted.ts";
import { Csrf, Note, send, Shell } from "../layout.tsx";
import { errorText } from "../messages.ts";
import {
  agentOf,
  formFailure,
  formOf,
  type PageContext,
  setLoginCookie,
  type UserView,
  userView,
  viewWithoutLogin,
} from "../view.ts";
import { CodeField } from "./code_field.tsx";
import { NewFactor, RecoveryCodes, sendEnabled } from "./parts.tsx";

/** The state of the second factor, with the forms that change it. */
export async function SecondFactor({ view }: { view: UserView }) {
  const { enabled, recoveryCodes } = await totpStatus(view.session);
  return (
    <section class="card stack" id="second-factor">
      <h2>Second factor</h2>
      {enabled
        ? (
          <>
            <p>
              Logins with the password need a code of your authenticator app. Tokens and SSH keys
              need none. {counted(recoveryCodes, "recovery code")} left.
            </p>
            <form class="stack" method="post" action="/account/second-factor/recovery">
              <Csrf view={view} />
              <Proof id="factor" />
              <div class="row end">
                <button type="submit" class="b">New recovery codes</button>
                <button type="submit" class="b bad" formaction="/account/second-factor/disable">
                  Disable
                </button>
              </div>
            </form>
          </>
        )
        : (
          <>
            <p class="soft">
              Beside the password, logins then need a code of an authenticator app.
            </p>
            <div class="row end">
              <a class="b" href="/account/second-factor">Enable</a>
            </div>
          </>
        )}
    </section>
  );
}

/** The password and a code. @param id begins the ids of the fields */
function Proof({ id }: { id: string }) {
  return (
    <>
      <PasswordField id={`${id}-password`} />
      <CodeField id={`${id}-code`} />
    </>
  );
}

function PasswordField({ id }: { id: string }) {
  return (
    <Field
      id={id}
      name="password"
      label="Password"
      type="password"
      autocomplete="current-password"
    />
  );
}

/** GET /account/second-factor: the form that enables it. */
export async function showEnabling(c: PageContext): Promise<Response> {
  const view = await userView(c);
  if ((await totpStatus(view.session)).enabled) return c.redirect("/account", 303);
  return await send(<Enabling view={view} />);
}

/** POST /account/second-factor/CHANGE. */
export async function changeSecondFactor(c: PageContext): Promise<Response> {
  const view = await userView(c);
  const form = await formOf(view);
  const change = c.req.param("change") ?? "";
  const text = (field: string) => form.get(field) ?? "";
  const code = text("code");
  const secret = change === "enable" ? text("secret") : undefined;
  try {
    if (change === "disable") {
      await disableTotp(await prove(view, text("password"), { code }));
      return c.redirect("/account?notice=disabled", 303);
    }
    if (change === "recovery") {
      const session = await prove(view, text("password"), { code });
      return await send(<Codes view={view} codes={await renewRecoveryCodes(session)} />);
    }
    if (secret === undefined) throw unknownUrl();
    const session = await prove(view, text("password"), { enables: true });
    const { codes, credential } = await enableTotp(session, { secret, code });
    session.credential = credential; // the change ends the current login
    const login = await continueAsWebSession(session, agentOf(view.exchange), view.exchange.host);
    setLoginCookie(c, login);
    return await sendEnabled(c, viewWithoutLogin(view, login), codes, "/account");
  } catch (error) {
    const failed = formFailure(view, error);
    const why = failed.kind === "unauthenticated"
      ? secret === undefined ? "The password or the code is wrong." : "The password is wrong."
      : errorText(failed);
    return await send(
      secret === undefined
        ? <Failed view={view} why={why} />
        : <Enabling view={view} secret={secret} error={why} />,
      failed,
    );
  }
}

/** Proves the password of the account once more. */
async function prove(view: UserView, secret: string, second: SecondStep): Promise<Session> {
  const { store, exchange } = view;
  const { host, pause, ended: { signal: gone } } = exchange;
  const { id, name } = await view.session.account();
  const credentials = { name, secret, host, door: "http", gone, second } as const;
  const session = await logIn(store, credentials, pause);
  if (session.id === id && session.withPassword) return session;
  throw new BargeError("unauthenticated", "that is not the password of the account");
}

function Enabling(
  { view, secret, error }: { view: UserView; secret?: string; error?: string },
) {
  return (
    <Shell view={view} title="Enable a second factor" section="account">
      <div class="stack narrow">
        <h1>Enable a second factor</h1>
        {error && <Note bad>{error}</Note>}
        <form class="card stack" method="post" action="/account/second-factor/enable">
          <Csrf view={view} />
          <NewFactor view={view} account={view.session.name} given={secret} />
          <PasswordField id="password" />
          <p class="soft">
            All other logins with the password end. Tokens and SSH keys stay.
          </p>
          <div class="row end">
            <a class="b flat" href="/account">Cancel</a>
            <button type="submit" class="b main">Enable</button>
          </div>
        </form>
      </div>
    </Shell>
  );
}

function Codes({ view, codes }: { view: UserView; codes: readonly string[] }) {
  return (
    <Shell view={view} title="Recovery codes" section="account">
      <div class="stack narrow">
        <h1>Recovery codes</h1>
        <section class="card stack">
          <RecoveryCodes codes={codes} />
          <p>
            <a class="b main" href="/account">Continue</a>
          </p>
        </section>
      </div>
    </Shell>
  );
}

function Failed({ view, why }: { view: UserView; why: string }) {
  return (
    <Shell view={view} title="Second factor" section="account">
      <div class="stack narrow">
        <h1>Second factor</h1>
        <Note bad>{why}</Note>
        <p>
          <a class="b" href="/account#second-factor">Back to your account</a>
        </p>
      </div>
    </Shell>
  );
}
