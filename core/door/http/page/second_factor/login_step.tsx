/**
 * The second step of a login at the page: a code, or a second factor to enable first of all. The form carries a
 * ticket of the right password (core/login/login_ticket.ts), and never the password itself.
 */
import type { BargeError } from "../../../../error.ts";
import { logInByTicket, loginTicket } from "../../../../login/login_ticket.ts";
import type { FactorNeeded } from "../../../../login/second_factor.ts";
import { enableTotp } from "../../../../login/totp.ts";
import { continueAsWebSession } from "../../../../login/web_session.ts";
import type { Session } from "../../../../login/session.ts";
import { CardPage, Csrf, Note, send } from "../layout.tsx";
import { errorText } from "../messages.ts";
import {
  agentOf,
  backOf,
  formFailure,
  type PageContext,
  setLoginCookie,
  type View,
  viewWithoutLogin,
} from "../view.ts";
import { CodeField } from "./code_field.tsx";
import { NewFactor, sendEnabled } from "./parts.tsx";

/** The hidden fields of the form: what the first step has found. */
interface Step {
  readonly ticket: string;
  readonly back: string;
  readonly name: string;
  /** Whether the account must enable a second factor. */
  readonly enables: boolean;
}

/** Answers a login whose right password is not enough. */
export async function sendNextStep(
  view: View,
  needed: FactorNeeded,
  back: string,
): Promise<Response> {
  const { store, exchange } = view;
  formFailure(view, needed);
  if (needed.credential.kind !== "password") {
    return await send(<StepPage view={view} error={errorText(needed)} />, needed);
  }
  const step: Step = {
    ticket: await loginTicket(store, needed, exchange.host),
    back,
    name: needed.factorOf.name,
    enables: needed.step === "enable",
  };
  return await send(<StepPage view={view} step={step} />, needed);
}

/** POST /login with a ticket. */
export async function takeNextStep(
  c: PageContext,
  view: View,
  form: URLSearchParams,
): Promise<Response> {
  const { exchange, store } = view;
  const text = (field: string) => form.get(field) ?? "";
  const secret = form.get("secret") ?? undefined;
  const enables = secret !== undefined;
  const step: Step = { ticket: text("ticket"), back: text("back"), name: text("name"), enables };
  exchange.access.login = true;
  try {
    const code = text("code");
    const second = enables ? { enables } : { askCode: () => Promise.resolve(code) };
    const { host, pause } = exchange;
    const session = await logInByTicket(
      store,
      { ticket: step.ticket, host, door: "http", second },
      pause,
    );
    exchange.access.account = session.name;
    const codes = enables ? await enable(session, secret, code) : undefined;
    exchange.access.login = false;
    const cookie = await continueAsWebSession(session, agentOf(exchange), host);
    setLoginCookie(c, cookie);
    if (!codes) return c.redirect(backOf(step.back), 303);
    return await sendEnabled(c, viewWithoutLogin(view, cookie), codes, backOf(step.back));
  } catch (error) {
    const failed = formFailure(view, error);
    const why = failed.kind === "unauthenticated" ? sentence(failed) : errorText(failed);
    return await send(<StepPage view={view} step={step} secret={secret} error={why} />, failed);
  }
}

async function enable(session: Session, secret: string, code: string): Promise<readonly string[]> {
  const { codes, credential } = await enableTotp(session, { secret, code });
  session.credential = credential;
  return codes;
}

function sentence({ message, hint }: BargeError): string {
  return `${message[0].toUpperCase()}${message.slice(1)}${hint ? ` (${hint})` : ""}.`;
}

function StepPage(
  { view, step, secret, error }: { view: View; step?: Step; secret?: string; error?: string },
) {
  const title = step?.enables ? "Enable a second factor" : "Log in";
  return (
    <CardPage view={view} title={title}>
      <form class="card stack" method="post" action="/login">
        <h1>{title}</h1>
        {error && <Note bad>{error}</Note>}
        {step && !error && step.enables && (
          <Note>This server requires a second factor of accounts like yours.</Note>
        )}
        <Csrf view={view} />
        {step && (
          <>
            <input type="hidden" name="ticket" value={step.ticket} />
            <input type="hidden" name="back" value={step.back} />
            <input type="hidden" name="name" value={step.name} />
            {step.enables
              ? <NewFactor view={view} account={step.name} given={secret} />
              : <CodeField autofocus />}
            <button type="submit" class="b main">{step.enables ? "Enable" : "Log in"}</button>
          </>
        )}
        <p class="soft">
          <a href="/login">Begin again</a>
        </p>
      </form>
    </CardPage>
  );
}
