import { BargeError } from "../error.ts";
import type { Answer, Request } from "../protocol/message.ts";
import type { Token } from "../storage/logins.ts";
import type { Session } from "./session.ts";

/** Returns the account's tokens, the oldest first, without their secrets. */
export async function tokens(session: Session): Promise<readonly Token[]> {
  return await session.store.people.logins.tokens((await session.account()).id);
}

/** Issues or revokes a token. @throws {BargeError} `not-found` for a token that the account does not have */
export async function token(session: Session, request: Request<"token">): Promise<Answer<"token">> {
  const account = await session.account();
  const { logins } = session.store.people;
  if (request.action === "issue") {
    const issued = await logins.issueToken(session, request.label);
    if (issued) return issued;
    throw await session.loginEndedError();
  }
  if (await logins.revokeToken(account.id, request.id)) return { id: request.id, token: null };
  throw new BargeError("not-found", "there is no such token", { path: request.id });
}
