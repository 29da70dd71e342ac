/** Logins at the web page: begun with a password or token once, then known by a cookie. */
import { BargeError } from "../error.ts";
import type { WebSession } from "../local/account/web_sessions.ts";
import { type Credentials, enter } from "./enter.ts";
import type { Pause } from "./login.ts";
import { Session } from "./session.ts";
import type { Store } from "../local/store.ts";
import { originOf } from "./token.ts";

/** One login at the page. */
export interface WebLogin {
  readonly session: Session;
  /** Names the login to its owner; the secret can't be had from it. */
  readonly id: string;
}

/**
 * Logs in.
 *
 * @param agent the browser, as it calls itself
 * @returns the secret for the cookie, which can't be had again
 * @throws {BargeError} as `enter`
 */
export async function begin(
  store: Store,
  credentials: Credentials,
  agent: string,
  pause: Pause,
): Promise<string> {
  return beginFor(await enter(store, credentials, pause), agent, credentials.host);
}

/**
 * As {@link begin}, for who has just logged in.
 *
 * @param address the client's numeric address
 * @throws {BargeError} `unauthenticated` when that login has ended meanwhile
 */
export function beginFor(session: Session, agent: string, address: string): string {
  const { webSessions } = session.store;
  return webSessions.begin(session.id, { agent, address }, () => originOf(session));
}

/** Finds whose a secret is. @returns undefined for one that is not, or not any more */
export function resume(store: Store, secret: string): WebLogin | undefined {
  const found = store.webSessions.find(secret);
  const account = found && store.accounts.byId(found.account);
  if (!account || account.disabled) return undefined;
  // Not as if with the password: who finds an open browser is not to take the account over with it.
  return {
    session: new Session(store, account, { kind: "web", digest: found.digest }),
    id: found.id,
  };
}

/** One's own logins, the newest first. */
export function webSessions(session: Session): WebSession[] {
  return session.store.webSessions.list(session.account().id);
}

/** Ends one of one's own, and what it has under way. @throws {BargeError} `not-found` */
export function end(session: Session, id: string): void {
  if (session.store.webSessions.end(session.account().id, id)) return;
  throw new BargeError("not-found", "there is no such login any more", { path: id });
}
