/** Logs a connection in with a password or a token, and makes the server prove itself, too. */
import { BargeError } from "../error.ts";
import type { Answer } from "../protocol/message.ts";
import { type Mechanism, nonce, prove } from "../protocol/scram.ts";
import type { Client } from "./client.ts";

/** A name and password, or a token's text: `barge_<id>_<secret>`. */
export type Credentials =
  | { readonly account: string; readonly password: string }
  | { readonly token: string };

/** Who one is at the server. */
export type Login = Pick<Answer<"proof">, "account" | "role">;

/**
 * @throws {BargeError} `unauthenticated`; `identity` when the server does not know the account's
 *   secret, and so is not the one that it was given to; `usage` for text that is no token
 */
export async function login(client: Client, credentials: Credentials): Promise<Login> {
  const { mechanism, account, secret } = read(credentials);
  const { proof, signature } = await takeUp(client, mechanism, account, secret);
  const answer = await client.ask("proof", { proof });
  if (!same(answer.signature, signature)) {
    const error = new BargeError("identity", "the server can't prove that it knows the account", {
      op: "log in to",
      path: client.peer,
      account,
      hint: "someone else may be answering in its place; ask its operator",
    });
    client.close(error);
    throw error;
  }
  return { account: answer.account, role: answer.role };
}

/**
 * Asks for a challenge, and makes the proof that it wants.
 *
 * @returns the proof, and what the server signs its answer with if it knows the secret, too
 * @throws {BargeError} as {@link login}
 */
export async function takeUp(
  client: Client,
  mechanism: Mechanism,
  account: string,
  secret: string,
): Promise<{ proof: string; signature: string }> {
  const clientNonce = nonce();
  const challenge = await client.ask("auth", { mechanism, account, nonce: clientNonce });
  const { nonce: serverNonce, salt, n, r, p } = challenge;
  return await prove(secret, { mechanism, account, clientNonce, serverNonce, salt, n, r, p });
}

function read(credentials: Credentials) {
  if (!("token" in credentials)) {
    const { account, password } = credentials;
    return { mechanism: "password" as Mechanism, account, secret: password };
  }
  // A secret may hold underscores (base64url), an id may not.
  const match = /^barge_([^_\s]+)_(\S+)$/.exec(credentials.token.trim());
  if (!match) {
    throw new BargeError("usage", "this is not a token", {
      op: "log in",
      hint: "a token looks like barge_ID_SECRET; `barge login` makes one",
    });
  }
  return { mechanism: "token" as Mechanism, account: match[1], secret: match[2] };
}

/** Compares in constant time. What the server sent was checked to be base64 of 32 bytes. */
function same(a: string, b: string): boolean {
  const [x, y] = [Uint8Array.fromBase64(a), Uint8Array.fromBase64(b)];
  return x.reduce((differs, byte, i) => differs | (byte ^ y[i]), x.length ^ y.length) === 0;
}
