/** Makes an account for oneself, where the server allows that. */
import type { Answer } from "../protocol/message.ts";
import { checkNewPassword } from "../protocol/password.ts";
import { makeVerifier } from "../protocol/verifier.ts";
import type { Client } from "./client.ts";

/**
 * @param password of as many characters as the server's hello asks for, and one at least; it does not
 *   leave this machine
 * @param limit bytes; the server's default where it is not given
 * @throws {BargeError} `refused` when the server takes no registrations, and without TLS off this
 *   machine; `exists` for a taken name; `usage` for a name that can't be one, or a password that is
 *   too short
 */
export async function register(
  client: Client,
  account: string,
  password: string,
  limit?: number,
): Promise<Answer<"register">> {
  client.needPrivacy("register");
  checkNewPassword(password, client.hello.minPassword ?? 0);
  const verifier = await makeVerifier("password", password);
  return await client.ask("register", { account, verifier, limit });
}
