/** Logins at the web page: they begin with a password or token, and go on by a cookie. */
import { BargeError } from "../error.ts";
import { mayLogIn } from "../storage/account.ts";
import type { Service } from "./service.ts";
import type { WebSession } from "../storage/logins.ts";
import type { Pause } from "./login.ts";
import { type Credentials, logIn } from "./password.ts";
import { scopeRefusal } from "./scope.ts";
import { Session } from "./session.ts";

/**
 * Logs in at the page.
 *
 * @param agent the browser's `User-Agent`
 * @returns the secret for the cookie, which the server does not keep
 * @throws {BargeError} as `logIn`
 */
export async function beginWebSession(
  store: Service,
  credentials: Credentials,
  agent: string,
  pause: Pause,
): Promise<string> {
  const session = await logIn(store, credentials, pause);
  return await continueAsWebSession(session, agent, credentials.host);
}

/**
 * As {@link beginWebSession}, for a client that has just logged in.
 *
 * @param address the client's numeric address
 * @throws {BargeError} `unauthenticated` when that login has ended meanwhile
 */
export async function continueAsWebSession(
  session: Session,
  agent: string,
  address: string,
): Promise<string> {
  const secret = await session.store.people.logins.beginWebSession(session, { agent, address });
  if (secret !== undefined) return secret;
  throw await session.loginEndedError();
}

/**
 * Returns the login of a cookie's secret, and the id that names it to its owner; undefined if it has ended,
 * began with a token that is not for this client, or is of an account that must enable a second factor.
 *
 * @param host the client's numeric address
 */
export async function findWebSession(
  store: Service,
  secret: string,
  host: string,
): Promise<{ session: Session; id: string } | undefined> {
  const found = await store.people.logins.byWebSession(secret);
  if (!found || !mayLogIn(found.account)) return undefined;
  const { account, credential, id, scope } = found;
  if (scopeRefusal(scope, false, { door: "http", host }) !== undefined) return undefined;
  // Not as a password login: an open browser must not be enough to change the password.
  const session = new Session(store, account, credential, { scope, host });
  session.door = "http";
  if (!session.isUsable(account)) return undefined;
  return scope.expires === null || await session.holds() ? { session, id } : undefined;
}

/** Returns the account's web sessions, the newest first. @throws {BargeError} `denied` to a restricted token */
export async function webSessions(session: Session): Promise<readonly WebSession[]> {
  session.refuseRestricted();
  return await session.store.people.logins.webSessions((await session.account()).id);
}

/**
 * Ends one of the account's web sessions.
 *
 * @param own the id of the session that ends it, if it is one: also one that began with a restricted token
 *   may end itself
 * @throws {BargeError} `not-found`; `denied` to a restricted token
 */
export async function endWebSession(session: Session, id: string, own?: string): Promise<void> {
  if (id !== own) session.refuseRestricted();
  const { id: account } = await session.account();
  if (await session.store.people.logins.endWebSession(account, id, session.actor)) return;
  throw new BargeError("not-found", "there is no such login any more", { path: id });
}
