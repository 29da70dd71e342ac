/** Logins at the web page: they begin with a password or token, and go on by a cookie. */
import { BargeError } from "../error.ts";
import type { Service } from "./service.ts";
import type { WebSession } from "../storage/logins.ts";
import type { Pause } from "./login.ts";
import { type Credentials, logIn } from "./password.ts";
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

/** Returns the login of a cookie's secret, and the id that names it to its owner; undefined if it has ended. */
export async function findWebSession(
  store: Service,
  secret: string,
): Promise<{ session: Session; id: string } | undefined> {
  const found = await store.people.logins.byWebSession(secret);
  if (!found || found.account.disabled) return undefined;
  // Not as a password login: an open browser must not be enough to change the password.
  return { session: new Session(store, found.account, found.credential), id: found.id };
}

/** Returns the account's web sessions, the newest first. */
export async function webSessions(session: Session): Promise<readonly WebSession[]> {
  return await session.store.people.logins.webSessions((await session.account()).id);
}

/** Ends one of the account's web sessions. @throws {BargeError} `not-found` */
export async function endWebSession(session: Session, id: string): Promise<void> {
  const { id: account } = await session.account();
  if (await session.store.people.logins.endWebSession(account, id)) return;
  throw new BargeError("not-found", "there is no such login any more", { path: id });
}
