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
 *                    text with a line feed between each and the next; over TLS the binding to the
 *                    server's certificate (net/channel_binding.ts) behind them
 *   proof          = ClientKey XOR HMAC(StoredKey, AuthMessage)          sent by the client
 *   signature      = HMAC(ServerKey, AuthMessage)                        sent by the server
 *
 * The client does the costly scrypt, so a flood of logins costs the server two HMACs each.
 *
 * Here is what both sides share, and the client's side; the server's is verifier.ts. A client logs
 * in once, and does it with WebCrypto: to load `node:crypto` takes longer than all the rest of it.
 */
import { BargeError } from "../error.ts";

/**
 * Costs of scrypt for a password: 32 MiB and about 80 ms. RFC 7914, section 2. A server keeps no
 * others: doors whose protocols carry the password pay them at each login, and an account whose
 * challenge had others could be told from names that no account has.
 */
export const costs = { n: 32768, r: 8, p: 1 } as const;

/** The length of every salt. */
export const saltBytes = 16;
const ownSalt = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** What a token's verifier says: no stretching, 256 random bits need none. */
export const tokenCosts = { n: 1, r: 1, p: 1 } as const;

const encoder = new TextEncoder();

export type Mechanism = "password" | "token";

/** scrypt's N, r and p. */
export interface Costs {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/**
 * Are these costs of scrypt what an honest server asks for? Lower ones would give a password away,
 * higher ones are an attack on the client: at most 64 MiB, once.
 *
 * @example
 * ```ts
 * import { costs, fairCosts } from "./scram.ts";
 * if (!fairCosts(costs) || fairCosts({ n: 1024, r: 8, p: 1 })) throw new Error();
 * ```
 */
export function fairCosts({ n, r, p }: Costs): boolean {
  return [n, r, p].every(Number.isSafeInteger) && n >= 16384 && r >= 8 && p === 1 &&
    128 * n * r <= 64 * 1024 * 1024 && (n & (n - 1)) === 0;
}

/**
 * May a server keep this verifier of a password? It has the server's own costs, and a salt of the
 * usual length, in the only base64 that there is of it.
 *
 * @example
 * ```ts
 * import { costs, nonce, ownCosts } from "./scram.ts";
 * if (!ownCosts({ ...costs, salt: nonce(16) })) throw new Error();
 * if (ownCosts({ ...costs, p: 2, salt: nonce(16) })) throw new Error();
 * if (ownCosts({ ...costs, salt: nonce(24) })) throw new Error();
 * ```
 */
export function ownCosts({ n, r, p, salt }: Costs & { readonly salt: string }): boolean {
  return n === costs.n && r === costs.r && p === costs.p && ownSalt.test(salt);
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
  /** Which certificate the server has shown; undefined: there is no TLS. RFC 5802, section 6. */
  readonly binding?: string;
}

/** A nonce, or a salt: random bytes in base64. */
export function nonce(size = 24): string {
  return crypto.getRandomValues(new Uint8Array(size)).toBase64();
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
  const salted = await salt(secret, exchange);
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

/** What is signed: all that both sides know of the login. */
export function authMessage(e: Exchange): string {
  const { mechanism, account, clientNonce, serverNonce, salt, n, r, p, binding } = e;
  const lines = ["BARGE/1", mechanism, account, clientNonce, serverNonce, salt, n, r, p];
  return (binding === undefined ? lines : [...lines, binding]).join("\n");
}

/** The salted password, or token. */
async function salt(secret: string, exchange: Exchange): Promise<Uint8Array<ArrayBuffer>> {
  const salt = Uint8Array.fromBase64(exchange.salt);
  if (exchange.mechanism === "token") return await hmac(salt, secret);
  const { stretch } = await import("./stretch.ts");
  return await stretch(secret, salt, exchange);
}

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const made = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", made, encoder.encode(text)));
}
