/** Issues and revokes tokens: logins that are kept in a file instead of a password. */
import { BargeError } from "../error.ts";
import type { Client } from "./client.ts";

export interface IssuedToken {
  readonly id: string;
  /** `barge_<id>_<secret>`; the server can't tell it again. */
  readonly token: string;
}

/** @param label what it is for, shown by `barge user tokens` */
export async function issueToken(client: Client, label: string): Promise<IssuedToken> {
  const { id, token } = await client.ask("token", { action: "issue", label });
  if (token === null) throw new BargeError("protocol", "the server issued a token without text");
  return { id, token };
}

/** @throws {BargeError} `not-found` when there is no such token of this account */
export async function revokeToken(client: Client, id: string): Promise<void> {
  await client.ask("token", { action: "revoke", id });
}
