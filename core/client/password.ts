/** Sets passwords: of the account that is logged in, and of a new one. No password leaves this machine. */
import { BargeError } from "../error.ts";
import { isLoopback, network, parseAddress } from "../net/address.ts";
import type { Answer } from "../protocol/message.ts";
import { checkNewPassword } from "../protocol/password.ts";
import { makeVerifier } from "../protocol/verifier.ts";
import type { Client } from "./client.ts";
import { answerChallenge } from "./login.ts";

export interface NewPassword {
  /** The account that is logged in. */
  readonly account: string;
  /** The current password, which is proved again. */
  readonly old: string;
  /** As many characters as the server's `hello` requires, and at least one. */
  readonly password: string;
}

/**
 * Changes the password of the account that is logged in. The connection stays open; all others that
 * logged in with the old password are closed.
 *
 * @throws {BargeError} `unauthenticated` for a wrong old password; `usage` for a new one that is too
 *   short; `denied` on a connection that logged in with a token; `refused` without TLS to another
 *   machine
 */
export async function passwd(
  client: Client,
  { account, old, password }: NewPassword,
): Promise<void> {
  const verifier = await newVerifier(client, "change password", password);
  const { proof, binding } = await answerChallenge(client, "password", account, old);
  await client.ask("passwd", { verifier, proof, binding });
}

/**
 * Makes an account on a server that allows registration.
 *
 * @param password as many characters as the server's `hello` requires, and at least one
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
  const verifier = await newVerifier(client, "register", password);
  return await client.ask("register", { account, verifier, limit });
}

/** Checks that a connection can carry a secret. @throws {BargeError} `refused` without TLS to another machine */
export function needTls({ tlsBinding, peer }: Client, op: string): void {
  if (tlsBinding !== undefined || isLoopback(network(parseAddress(peer).host))) return;
  throw new BargeError("refused", "that needs TLS, and this connection has none", {
    op,
    path: peer,
    hint: "leave --plaintext out, or do it at the server itself",
  });
}

/** Checks a new password and the connection. @returns the password's verifier, which is a secret */
async function newVerifier(client: Client, op: string, password: string) {
  needTls(client, op);
  checkNewPassword(password, client.hello.minPassword ?? 0);
  return await makeVerifier("password", password);
}
