/**
 * The other half of the login (scram.ts): what is kept of a secret, and the check of a proof or a
 * secret against it. A server has many to check, each at once: `node:crypto` does that without a
 * promise, and is loaded there anyway.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import { BargeError } from "../error.ts";
import type { Verifier } from "./message.ts";
import {
  authMessage,
  type Costs,
  costs,
  type Exchange,
  type Mechanism,
  nonce,
  ownCosts,
  saltBytes,
  tokenCosts,
} from "./scram.ts";
import { stretch } from "./stretch.ts";

/**
 * Derives what is kept of a new secret.
 *
 * @param mechanism `token` skips the stretching
 * @param secret the password, of at least one character, or the token's secret part
 * @throws {BargeError} `usage` when it is empty
 */
export async function makeVerifier(mechanism: Mechanism, secret: string): Promise<Verifier> {
  if (secret === "") throw new BargeError("usage", `the ${mechanism} is empty`);
  const salt = nonce(saltBytes);
  const cost = mechanism === "token" ? tokenCosts : costs;
  const { clientKey, serverKey } = await keys(mechanism, secret, { salt, ...cost });
  return {
    salt,
    ...cost,
    storedKey: sha256(clientKey).toString("base64"),
    serverKey: serverKey.toString("base64"),
  };
}

/**
 * The server's side: checks a proof against what is kept, in constant time.
 *
 * @returns the server's signature, or undefined when the proof is wrong
 */
export function verify(proof: string, verifier: Verifier, exchange: Exchange): string | undefined {
  const storedKey = Buffer.from(verifier.storedKey, "base64");
  if (storedKey.length !== 32) return undefined;
  const message = authMessage(exchange);
  const given = Buffer.from(proof, "base64");
  const sized = given.length === 32 ? given : Buffer.alloc(32);
  const clientKey = xor(sized, hmac(storedKey, message));
  if (!timingSafeEqual(sha256(clientKey), storedKey)) return undefined;
  return hmac(Buffer.from(verifier.serverKey, "base64"), message).toString("base64");
}

/**
 * Checks a secret itself, for doors whose protocols carry it, and for `user apply`.
 *
 * @returns whether the verifier was made from this secret; false for a password's that has other
 *   costs than this program's, without the work
 */
export async function matches(
  mechanism: Mechanism,
  secret: string,
  verifier: Verifier,
): Promise<boolean> {
  if (mechanism === "password" && !ownCosts(verifier)) return false;
  const storedKey = Buffer.from(verifier.storedKey, "base64");
  const { clientKey } = await keys(mechanism, secret, verifier);
  return storedKey.length === 32 && timingSafeEqual(sha256(clientKey), storedKey);
}

async function keys(mechanism: Mechanism, secret: string, costs: Costs & { salt: string }) {
  const salt = Buffer.from(costs.salt, "base64");
  const salted = mechanism === "token" ? hmac(salt, secret) : await stretch(secret, salt, costs);
  return { clientKey: hmac(salted, "Client Key"), serverKey: hmac(salted, "Server Key") };
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ b[i]));
}
