/** Changes one's own password. */
import { makeVerifier } from "../protocol/verifier.ts";
import type { Client } from "./client.ts";

/**
 * @param password the new one, of at least one character; it does not leave this machine
 * @throws {BargeError} `denied` on a connection that logged in with a token; `refused` without TLS
 *   off this machine
 */
export async function passwd(client: Client, password: string): Promise<void> {
  client.needPrivacy("change password");
  await client.ask("passwd", { verifier: await makeVerifier("password", password) });
}
