/** Tokens of an account: lists, issues and revokes them. */
import { BargeError } from "../error.ts";
import type { Answer, Request } from "../protocol/message.ts";
import type { Token } from "../storage/logins.ts";
import type { Scope } from "../storage/scope.ts";
import { narrowedScope } from "./scope.ts";
import type { Session } from "./session.ts";

/** A token as clients see it: in messages and in the API. */
export type TokenFacts = Answer<"tokens">["tokens"][number];
/** A scope as clients see it. */
export type ScopeFacts = Pick<TokenFacts, keyof Scope>;

/** Returns the account's tokens, the oldest first, without their secrets. @throws {BargeError} `denied` */
export async function tokens(session: Session): Promise<readonly Token[]> {
  session.refuseRestricted();
  return await session.store.people.logins.tokens((await session.account()).id);
}

/**
 * Issues or revokes a token.
 *
 * @throws {BargeError} `not-found` for a token that the account does not have; `usage` and `denied` for a scope
 *   that can't be, or exceeds that of the login; `denied` to a restricted token, which may only revoke itself
 */
export async function token(session: Session, request: Request<"token">): Promise<Answer<"token">> {
  const { actor, credential, scope, name } = session;
  const isOwn = request.action === "revoke" && credential.kind === "token" &&
    credential.id === request.id;
  if (!isOwn) session.refuseRestricted();
  const account = await session.account();
  const { logins } = session.store.people;
  if (request.action === "issue") {
    const narrowed = narrowedScope(scope, request, name);
    const issued = await logins.issueToken(session, request.label, narrowed, actor);
    if (issued) return issued;
    throw await session.loginEndedError();
  }
  if (await logins.revokeToken(account.id, request.id, actor)) {
    return { id: request.id, token: null };
  }
  throw new BargeError("not-found", "there is no such token", { path: request.id });
}

/** Returns a token as clients see it. */
export function tokenFacts(token: Token): TokenFacts {
  const { id, label, created, used, usedFrom, expired } = token;
  const times = { created: new Date(created).toISOString(), used: isoOrNull(used) };
  return { id, label, ...times, usedFrom, expired, ...scopeFacts(token) };
}

/** Returns a scope as clients see it. */
export function scopeFacts({ access, path, doors, from, expires }: Scope): ScopeFacts {
  return {
    access,
    path,
    doors: doors && [...doors],
    from: from && [...from],
    expires: isoOrNull(expires),
  };
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
