/**
 * The login of BARGE/1: a challenge-response in the shape of SCRAM (RFC 5802), with scrypt
 * (RFC 7914) where SCRAM has PBKDF2, so that no password crosses the wire and what the server
 * keeps can't be used to log in.
 *
 *   SaltedPassword = scrypt(NFC(password), salt, n, r, p, 32 bytes)      for a password
 *                  = HMAC-SHA-256(key: salt, secret)                     for a token (256 random bits)
 *   ClientKey      = HMAC(SaltedPassword, "Client Key")     StoredKey = SHA-256(ClientKey)
 *   ServerKey      = HMAC(SaltedPassword, "Server Key")
 *   AuthMessage    = "BARGE/1", mechanism, account, client nonce, server nonce, salt, n, r, p, as
 *                    text with a line feed between each and the next
 *   proof          = ClientKey XOR HMAC(StoredKey, AuthMessage)          sent by the client
 *   signature      = HMAC(ServerKey, AuthMessage)                        sent by the server
 *
 * The client does the costly scrypt, so a flood of logins costs the server two HMACs each.
 */
import { createHash, createHmac, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import { BargeError } from "../error.ts";
import type { Verifier } from "./message.ts";

/** Costs of scrypt for a new password: 32 MiB and about 80 ms. RFC 7914, section 2. */
export const costs = { n: 32768, r: 8, p: 1 } as const;

/** What a token's verifier says: no stretching, 256 random bits need none. */
export const tokenCosts = { n: 1, r: 1, p: 1 } as const;

export type Mechanism = "password" | "token";

/** scrypt's N, r and p. */
export interface Costs {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/**
 * Are these costs of scrypt what an honest peer asks for? Lower ones would give a password away,
 * higher ones are an attack: at most 256 MiB and sixteen times the work of that.
 *
 * @example
 * ```ts
 * import { costs, fairCosts } from "./scram.ts";
 * if (!fairCosts(costs) || fairCosts({ n: 1024, r: 8, p: 1 })) throw new Error();
 * ```
 */
export function fairCosts({ n, r, p }: Costs): boolean {
  return [n, r, p].every(Number.isSafeInteger) && n >= 16384 && r >= 8 && p >= 1 && p <= 16 &&
    128 * n * r <= 256 * 1024 * 1024 && (n & (n - 1)) === 0;
}

/** All that both sides know of one login, in the order in which it is signed. */
export interface Exchange {
  readonly mechanism: Mechanism;
  readonly account: string;
  readonly clientNonce: string;
  readonly serverNonce: string;
  readonly salt: string;
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** A nonce, or a salt: random bytes in base64. */
export function nonce(size = 24): string {
  return randomBytes(size).toString("base64");
}

/**
 * Derives what is kept of a new secret.
 *
 * @param mechanism `token` skips the stretching
 * @param secret the password, of at least one character, or the token's secret part
 * @throws {BargeError} `usage` when it is empty
 */
export async function makeVerifier(mechanism: Mechanism, secret: string): Promise<Verifier> {
  if (secret === "") throw new BargeError("usage", `the ${mechanism} is empty`);
  const salt = nonce(16);
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
 * The client's side: proves that it knows the secret, and learns what the server must answer.
 *
 * @throws {BargeError} `refused` when the server asks for costs so low that they would give the
 *   password away, or so high that they are an attack
 */
export async function prove(
  secret: string,
  exchange: Exchange,
): Promise<{ readonly proof: string; readonly signature: string }> {
  const { n, r, p } = exchange;
  if (exchange.mechanism === "password" && !fairCosts(exchange)) {
    throw new BargeError("refused", `the server asks for scrypt costs n=${n} r=${r} p=${p}`, {
      op: "log in",
    });
  }
  const { clientKey, serverKey } = await keys(exchange.mechanism, secret, exchange);
  const message = authMessage(exchange);
  const mask = hmac(sha256(clientKey), message);
  return {
    proof: xor(clientKey, mask).toString("base64"),
    signature: hmac(serverKey, message).toString("base64"),
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
 * @returns whether the verifier was made from this secret
 */
export async function matches(
  mechanism: Mechanism,
  secret: string,
  verifier: Verifier,
): Promise<boolean> {
  const storedKey = Buffer.from(verifier.storedKey, "base64");
  const { clientKey } = await keys(mechanism, secret, verifier);
  return storedKey.length === 32 && timingSafeEqual(sha256(clientKey), storedKey);
}

async function keys(mechanism: Mechanism, secret: string, costs: Costs & { salt: string }) {
  const salt = Buffer.from(costs.salt, "base64");
  const salted = mechanism === "token"
    ? hmac(salt, secret)
    : await stretch(secret.normalize("NFC"), salt, costs);
  return { clientKey: hmac(salted, "Client Key"), serverKey: hmac(salted, "Server Key") };
}

function stretch(password: string, salt: Buffer, { n, r, p }: Costs): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { N: n, r, p, maxmem: 128 * n * r + 128 * r * p + 1024 * 1024 };
    scrypt(password, salt, 32, options, (error, key) => error ? reject(error) : resolve(key));
  });
}

function authMessage(e: Exchange): string {
  const { mechanism, account, clientNonce, serverNonce, salt, n, r, p } = e;
  return ["BARGE/1", mechanism, account, clientNonce, serverNonce, salt, n, r, p].join("\n");
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
