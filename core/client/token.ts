/** Issues, lists and revokes tokens, which a client keeps in place of the password. */
import { BargeError } from "../error.ts";
import type { Answer, RequestInput } from "../protocol/message.ts";
import type { Client } from "./client.ts";

export interface IssuedToken {
  readonly id: string;
  /** `barge_<id>_<secret>`; the server does not store it. */
  readonly token: string;
}

/** A token of the account, without its secret; times are in RFC 3339. */
export type Token = Answer<"tokens">["tokens"][number];

/** The limits of a token to issue. A missing one is that of the login: for a password, none. */
export type TokenScope = Pick<
  Extract<RequestInput<"token">, { action: "issue" }>,
  "access" | "path" | "doors" | "from" | "expires"
>;

/** The most tokens that a server may list. */
const maxListed = 100_000;

/**
 * Issues a token.
 *
 * @param label the purpose, which lists of tokens show
 * @throws {BargeError} `unsupported` for a scope at an older server, which would ignore it; `usage` and `denied`
 *   for a scope that no token can have, or that exceeds that of the login
 */
export async function issueToken(
  client: Client,
  label: string,
  scope: TokenScope = {},
): Promise<IssuedToken> {
  const limits = Object.entries(scope).filter(([, limit]) => limit !== undefined);
  if (limits.length > 0 && !client.hello.scopes) {
    throw new BargeError("unsupported", "this server is too old to limit a token", {
      op: "issue token",
    });
  }
  const request = { action: "issue", label, ...Object.fromEntries(limits) } as const;
  const { id, token } = await client.ask("token", request);
  if (token === null) throw new BargeError("protocol", "the server issued a token without text");
  return { id, token };
}

/** @throws {BargeError} `not-found` if the account has no such token */
export async function revokeToken(client: Client, id: string): Promise<void> {
  await client.ask("token", { action: "revoke", id });
}

/**
 * Returns the account's tokens, the oldest first.
 *
 * @throws {BargeError} `denied` to a token with limits on files; `unsupported` by an older server
 */
export async function listTokens(client: Client): Promise<Token[]> {
  return await client.request({ verb: "tokens" }, async (frames) => {
    const all: Token[] = [];
    for (let more = true; more;) {
      const page = await client.next("tokens", frames);
      more = page.more && page.tokens.length > 0;
      all.push(...page.tokens);
      if (all.length <= maxListed) continue;
      throw new BargeError("protocol", "the server lists too many tokens", { op: "token list" });
    }
    return all;
  });
}
