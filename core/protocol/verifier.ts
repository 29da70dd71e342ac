/**
 * The server's side of the login (scram.ts): derives the record of a secret, and checks a proof or a
 * secret against it. It uses `node:crypto`, which works without promises.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import { BargeError } from "../error.ts";
import type { Verifier } from "./message.ts";
import {
  authMessage,
  costs,
  type Exchange,
  hasOwnCosts,
  type Mechanism,
  nonce,
  saltBytes,
  tokenCosts,
} from "./scram.ts";
import { type Costs, stretch } from "./stretch.ts";

/**
 * Derives the record of a new secret.
 *
 * @param mechanism `token` skips the stretching
 * @param secret the password, of at least one character, or the token's secret part
 * @throws {BargeError} `usage` if it is empty
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
 * Checks a proof against the record, in constant time.
 *
 * @returns the server's signature; undefined if the proof is wrong
 */
export function verify(proof: string, verifier: Verifier, exchange: Exchange): string | undefined {
  const storedKey = Buffer.from(verifier.storedKey, "base64");
  if (storedKey.length !== 32) return undefined;
  const message = authMessage(exchange);
  const proofBytes = Buffer.from(proof, "base64");
  const masked = proofBytes.length === 32 ? proofBytes : Buffer.alloc(32);
  const mask = hmac(storedKey, message);
  const clientKey = masked.map((byte, i) => byte ^ mask[i]);
  if (!timingSafeEqual(sha256(clientKey), storedKey)) return undefined;
  return hmac(Buffer.from(verifier.serverKey, "base64"), message).toString("base64");
}

/**
 * Returns whether the record is of this secret, for doors whose protocols carry the secret, and for
 * `user apply`. A password's record with other costs than the server's never matches.
 */
export async function matches(
  mechanism: Mechanism,
  secret: string,
  verifier: Verifier,
): Promise<boolean> {
  if (mechanism === "password" && !hasOwnCosts(verifier)) return false;
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
