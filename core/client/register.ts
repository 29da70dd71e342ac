/** Makes an account on a server that allows registration. */
import type { Answer } from "../protocol/message.ts";
import { checkNewPassword } from "../protocol/password.ts";
import { makeVerifier } from "../protocol/verifier.ts";
import type { Client } from "./client.ts";

/**
 * @param password at least as many characters as the server's `hello` requires, and one; it does not
 *   leave this machine
 * @param limit the quota in bytes; the server's default if absent
 * @throws {BargeError} `refused` if the server takes no registrations, and without TLS to another
 *   machine; `exists` for a taken name; `usage` for an invalid name or a password that is too short
 */
export async function register(
  client: Client,
  account: string,
  password: string,
  limit?: number,
): Promise<Answer<"register">> {
  client.requirePrivacy("register");
  checkNewPassword(password, client.hello.minPassword ?? 0);
  const verifier = await makeVerifier("password", password);
  return await client.ask("register", { account, verifier, limit });
}
