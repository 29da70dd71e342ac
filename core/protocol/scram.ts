/**
 * The login of BARGE/1: a challenge-response like SCRAM (RFC 5802), with scrypt (RFC 7914) in place
 * of PBKDF2. No password crosses the wire, and the server's record can't be used to log in.
 *
 *   SaltedPassword = scrypt(NFC(password), salt, n, r, p, 32 bytes)      for a password
 *                  = HMAC-SHA-256(key: salt, secret)                     for a token (256 random bits)
 *   ClientKey      = HMAC(SaltedPassword, "Client Key")     StoredKey = SHA-256(ClientKey)
 *   ServerKey      = HMAC(SaltedPassword, "Server Key")
 *   AuthMessage    = "BARGE/1", mechanism, account, client nonce, server nonce, salt, n, r, p and,
 *                    over TLS, the binding to the server's certificate (net/channel_binding.ts), joined
 *                    by line feeds
 *   proof          = ClientKey XOR HMAC(StoredKey, AuthMessage)          sent by the client
 *   signature      = HMAC(ServerKey, AuthMessage)                        sent by the server
 *
 * The client runs the costly scrypt; a login costs the server two HMACs.
 *
 * This file has the client's side and the parts that both sides share; verifier.ts has the server's.
 * The client uses WebCrypto, since `node:crypto` takes longer to load than one login takes.
 */
import { BargeError } from "../error.ts";
import type { Costs } from "./stretch.ts";

/**
 * Costs of scrypt for a password: 32 MiB and about 80 ms (RFC 7914, section 2). All accounts have
 * the same: doors whose protocols carry the password pay them at each login, and a challenge with
 * other costs would reveal that the account exists.
 */
export const costs = { n: 32768, r: 8, p: 1 } as const;

/** The length of every salt. */
export const saltBytes = 16;
const ownSalt = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** The costs in a token's verifier: none, since its secret has 256 random bits. */
export const tokenCosts = { n: 1, r: 1, p: 1 } as const;

const encoder = new TextEncoder();

export type Mechanism = "password" | "token";

/**
 * Returns whether a client accepts a server's costs. Lower costs would make the password easy to guess,
 * higher ones (above 64 MiB) would overload the client.
 *
 * @example
 * ```ts
 * import { costs, acceptableCosts } from "./scram.ts";
 * if (!acceptableCosts(costs) || acceptableCosts({ n: 1024, r: 8, p: 1 })) throw new Error();
 * ```
 */
export function acceptableCosts({ n, r, p }: Costs): boolean {
  return [n, r, p].every(Number.isSafeInteger) && n >= 16384 && r >= 8 && p === 1 &&
    128 * n * r <= 64 * 1024 * 1024 && (n & (n - 1)) === 0;
}

/**
 * Returns whether a password's verifier has the server's own costs and a salt of 16 bytes in
 * canonical base64.
 *
 * @example
 * ```ts
 * import { costs, nonce, hasOwnCosts } from "./scram.ts";
 * if (!hasOwnCosts({ ...costs, salt: nonce(16) })) throw new Error();
 * if (hasOwnCosts({ ...costs, p: 2, salt: nonce(16) })) throw new Error();
 * if (hasOwnCosts({ ...costs, salt: nonce(24) })) throw new Error();
 * ```
 */
export function hasOwnCosts({ n, r, p, salt }: Costs & { readonly salt: string }): boolean {
  return n === costs.n && r === costs.r && p === costs.p && ownSalt.test(salt);
}

/** The values of one login that both sides know. */
export interface Exchange extends Costs {
  readonly mechanism: Mechanism;
  readonly account: string;
  readonly clientNonce: string;
  readonly serverNonce: string;
  readonly salt: string;
  /** Identifies the certificate that the server has shown; undefined: no TLS. RFC 5802, section 6. */
  readonly binding?: string;
}

/** Returns random bytes in base64, for a nonce or a salt. */
export function nonce(size = 24): string {
  return crypto.getRandomValues(new Uint8Array(size)).toBase64();
}

/**
 * Computes the client's proof, and the signature that the server must answer.
 *
 * @throws {BargeError} `refused` for costs that {@link acceptableCosts} does not accept
 */
export async function prove(
  secret: string,
  exchange: Exchange,
): Promise<{ readonly proof: string; readonly signature: string }> {
  const { n, r, p } = exchange;
  if (exchange.mechanism === "password" && !acceptableCosts(exchange)) {
    const why = `the server demands scrypt costs n=${n} r=${r} p=${p}`;
    throw new BargeError("refused", why, { op: "log in" });
  }
  const salted = await saltSecret(secret, exchange);
  const [clientKey, serverKey] = await Promise.all([
    hmac(salted, "Client Key"),
    hmac(salted, "Server Key"),
  ]);
  const storedKey = new Uint8Array(await crypto.subtle.digest("SHA-256", clientKey));
  const message = authMessage(exchange);
  const [mask, signature] = await Promise.all([hmac(storedKey, message), hmac(serverKey, message)]);
  const proof = clientKey.map((byte, i) => byte ^ mask[i]);
  return { proof: proof.toBase64(), signature: signature.toBase64() };
}

/** Returns the text that both sides sign. */
export function authMessage(e: Exchange): string {
  const { mechanism, account, clientNonce, serverNonce, salt, n, r, p, binding } = e;
  const lines = ["BARGE/1", mechanism, account, clientNonce, serverNonce, salt, n, r, p];
  return (binding === undefined ? lines : [...lines, binding]).join("\n");
}

/** Returns the salted password or token. */
async function saltSecret(secret: string, exchange: Exchange): Promise<Uint8Array<ArrayBuffer>> {
  const salt = Uint8Array.fromBase64(exchange.salt);
  if (exchange.mechanism === "token") return await hmac(salt, secret);
  const { stretch } = await import("./stretch.ts");
  return await stretch(secret, salt, exchange);
}

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const cryptoKey = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", cryptoKey, encoder.encode(text)));
}
