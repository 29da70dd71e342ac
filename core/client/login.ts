/** Logs a connection in with a password or a token, and makes the server prove itself, too. */
import { BargeError } from "../error.ts";
import { bindingName } from "../net/binding_name.ts";
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
 *   secret, and so is not the one that it was given to, or another certificate is shown here than
 *   there; `usage` for text that is no token
 */
export async function login(client: Client, credentials: Credentials): Promise<Login> {
  const { mechanism, account, secret } = read(credentials);
  const { proof, signature, binding } = await takeUp(client, mechanism, account, secret);
  const answer = await client.ask("proof", { proof, binding });
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
 * Asks for a challenge, and makes the proof that it wants, bound to the server's certificate.
 *
 * @returns the proof, its binding, and what the server signs its answer with if it knows the secret, too
 * @throws {BargeError} as {@link login}
 */
export async function takeUp(
  client: Client,
  mechanism: Mechanism,
  account: string,
  secret: string,
): Promise<{ proof: string; signature: string; binding: string | undefined }> {
  const clientNonce = nonce();
  const challenge = await client.ask("auth", { mechanism, account, nonce: clientNonce });
  const { nonce: serverNonce, salt, n, r, p } = challenge;
  const binding = bindingOf(client);
  const exchange = { mechanism, account, clientNonce, serverNonce, salt, n, r, p, binding };
  return { ...await prove(secret, exchange), binding };
}

/**
 * Over TLS a login is always bound to the certificate, so that whoever shows this client another one
 * can't pass it on.
 *
 * @throws {BargeError} `identity` when the server does not demand that: TLS may end before it
 */
function bindingOf(client: Client): string | undefined {
  const { endPoint } = client;
  if (endPoint === undefined || client.hello.binding === bindingName) return endPoint;
  const error = new BargeError("identity", "the server does not bind logins to its certificate", {
    op: "log in to",
    path: client.peer,
    hint: "it is an old one, or TLS ends at a proxy before it: its operator may name the proxy's " +
      "certificate with `barge serve --proxy-cert`",
  });
  client.close(error);
  throw error;
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
