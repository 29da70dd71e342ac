/** Issues and revokes tokens, which a client keeps in place of the password. */
import { BargeError } from "../error.ts";
import type { Client } from "./client.ts";

export interface IssuedToken {
  readonly id: string;
  /** `barge_<id>_<secret>`; the server does not store it. */
  readonly token: string;
}

/** @param label the purpose, which `barge user tokens` shows */
export async function issueToken(client: Client, label: string): Promise<IssuedToken> {
  const { id, token } = await client.ask("token", { action: "issue", label });
  if (token === null) throw new BargeError("protocol", "the server issued a token without text");
  return { id, token };
}

/** @throws {BargeError} `not-found` if the account has no such token */
export async function revokeToken(client: Client, id: string): Promise<void> {
  await client.ask("token", { action: "revoke", id });
}
