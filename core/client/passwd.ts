/** Changes the password of the own account. */
import { checkNewPassword } from "../protocol/password.ts";
import { makeVerifier } from "../protocol/verifier.ts";
import type { Client } from "./client.ts";
import { answerChallenge } from "./login.ts";

export interface NewPassword {
  /** The account that is logged in. */
  readonly account: string;
  /** The current password, which is proved again. */
  readonly old: string;
  /** At least as many characters as the server's `hello` requires, and one. */
  readonly password: string;
}

/**
 * Changes the password. Neither password leaves this machine. The connection stays open; all others
 * that logged in with the old password are closed.
 *
 * @throws {BargeError} `unauthenticated` for a wrong old password; `usage` for a new one that is too
 *   short; `denied` on a connection that logged in with a token; `refused` without TLS to another
 *   machine
 */
export async function passwd(
  client: Client,
  { account, old, password }: NewPassword,
): Promise<void> {
  client.requirePrivacy("change password");
  checkNewPassword(password, client.hello.minPassword ?? 0);
  const verifier = await makeVerifier("password", password);
  const { proof, binding } = await answerChallenge(client, "password", account, old);
  await client.ask("passwd", { verifier, proof, binding });
}
