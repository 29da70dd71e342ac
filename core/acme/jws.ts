/** Signs requests to an authority: JSON Web Signatures (RFC 7515) with ES256, as RFC 8555, section 6.2 wants them. */

const algorithm = { name: "ECDSA", namedCurve: "P-256" };

/** The key of an account at an authority. */
export interface AccountKey {
  readonly privateKey: CryptoKey;
  /** The public key (RFC 7517). */
  readonly jwk: {
    readonly crv: string;
    readonly kty: string;
    readonly x: string;
    readonly y: string;
  };
  /** The digest of the public key (RFC 7638). */
  readonly thumbprint: string;
}

/** Makes a key, as the JSON of a private JWK. */
export async function makeAccountKey(): Promise<string> {
  const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const { crv, d, kty, x, y } = await crypto.subtle.exportKey("jwk", privateKey);
  return JSON.stringify({ crv, d, kty, x, y });
}

/** Reads a key that {@link makeAccountKey} has made. */
export async function readAccountKey(text: string): Promise<AccountKey> {
  const { crv, d, kty, x, y } = JSON.parse(text);
  const jwk = { crv, kty, x, y };
  const privateKey = await crypto.subtle.importKey("jwk", { ...jwk, d }, algorithm, false, [
    "sign",
  ]);
  const digest = await crypto.subtle.digest("SHA-256", bytesOf(JSON.stringify(jwk)));
  return { privateKey, jwk, thumbprint: base64url(new Uint8Array(digest)) };
}

/**
 * Returns a signed request.
 *
 * @param head the fields of the protected header beside `alg`
 * @param payload undefined: none, which makes a request that only reads (RFC 8555, section 6.3)
 */
export async function sign(
  { privateKey }: AccountKey,
  head: Readonly<Record<string, unknown>>,
  payload: unknown,
): Promise<string> {
  const protectedHead = base64url(bytesOf(JSON.stringify({ alg: "ES256", ...head })));
  const body = payload === undefined ? "" : base64url(bytesOf(JSON.stringify(payload)));
  const signature = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    privateKey,
    bytesOf(`${protectedHead}.${body}`),
  );
  return JSON.stringify({
    protected: protectedHead,
    payload: body,
    signature: base64url(new Uint8Array(signature)),
  });
}

/** Returns bytes in base64url without padding. */
export function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
