/** Binds an account at an authority to one that the operator has there by other means (RFC 8555, section 7.3.4). */
import { type AccountKey, base64url } from "./jws.ts";

/** The key that the authority has given to the operator. */
export interface ExternalAccount {
  /** Identifies the key. */
  readonly kid: string;
  readonly key: Uint8Array<ArrayBuffer>;
}

const minKeyBytes = 16;

/**
 * Parses a key as authorities print it: base64url, or base64.
 *
 * @returns undefined for any other text, and for a key that is too short
 *
 * @example
 * ```ts
 * import { parseExternalKey } from "./external_account.ts";
 * const key = parseExternalKey("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W\n");
 * if (key?.length !== 48 || parseExternalKey("c2hvcnQ") || parseExternalKey("no key!")) throw key;
 * ```
 */
export function parseExternalKey(text: string): Uint8Array<ArrayBuffer> | undefined {
  const plain = text.trim().replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  try {
    const key = Uint8Array.fromBase64(plain, { alphabet: "base64url" });
    return key.length >= minKeyBytes ? key : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns the field `externalAccountBinding` of a request for a new account.
 *
 * @param url the URL of that request
 */
export async function bind(
  { kid, key }: ExternalAccount,
  { jwk }: AccountKey,
  url: string,
): Promise<Record<string, string>> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const secret = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  const encode = (value: unknown) => base64url(new TextEncoder().encode(JSON.stringify(value)));
  const head = { protected: encode({ alg: "HS256", kid, url }), payload: encode(jwk) };
  const signed = new TextEncoder().encode(`${head.protected}.${head.payload}`);
  const signature = await crypto.subtle.sign(algorithm, secret, signed);
  return { ...head, signature: base64url(new Uint8Array(signature)) };
}
