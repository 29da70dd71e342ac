/** Tokens of one's own. */
import type { Token } from "../local/account/tokens.ts";
import { BargeError } from "../error.ts";
import type { Answer, Request } from "../protocol/message.ts";
import type { Session } from "./session.ts";

/** One's tokens, the oldest first, without their secrets. */
export function tokens(session: Session): Token[] {
  return session.store.tokens.list(session.account().id);
}

/** @throws {BargeError} `not-found` for a token that one does not have */
export async function token(
  session: Session,
  request: Request<"token">,
): Promise<Answer<"token">> {
  const account = session.account();
  const { tokens } = session.store;
  if (request.action === "issue") {
    return await tokens.issue(account.id, request.label, () => originOf(session));
  }
  if (tokens.revoke(account.id, request.id)) return { id: request.id, token: null };
  throw new BargeError("not-found", "there is no such token", { path: request.id });
}

/**
 * Returns the id of the token that a login began with, also where a login at the web page lies in
 * between; null for a password. What is made with the login ends with that token.
 *
 * @throws {BargeError} `unauthenticated` when the login has ended
 */
export function originOf(session: Session): string | null {
  session.check();
  const { credential, store } = session;
  if (credential.kind === "token") return credential.id;
  return credential.kind === "web" ? store.webSessions.tokenOf(credential.digest) : null;
}
