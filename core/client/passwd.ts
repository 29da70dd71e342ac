/** Changes one's own password. */
import { checkNewPassword } from "../protocol/password.ts";
import { makeVerifier } from "../protocol/verifier.ts";
import type { Client } from "./client.ts";
import { takeUp } from "./login.ts";

export interface NewPassword {
  /** Whose, as it logged in. */
  readonly account: string;
  /** The password as it is now, which is proved once more. */
  readonly old: string;
  /** Of as many characters as the server's hello asks for, and one at least. */
  readonly password: string;
}

/**
 * Changes the password of the account that a connection is logged in to. Neither of the two leaves
 * this machine. The connection goes on; all others that began with the old password end.
 *
 * @throws {BargeError} `unauthenticated` for a wrong old password; `usage` for a new one that is too
 *   short; `denied` on a connection that logged in with a token;
 *   `refused` without TLS off this machine
 */
export async function passwd(
  client: Client,
  { account, old, password }: NewPassword,
): Promise<void> {
  client.needPrivacy("change password");
  checkNewPassword(password, client.hello.minPassword ?? 0);
  const verifier = await makeVerifier("password", password);
  const { proof, binding } = await takeUp(client, "password", account, old);
  await client.ask("passwd", { verifier, proof, binding });
}
