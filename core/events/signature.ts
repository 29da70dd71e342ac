/**
 * Signs requests as in Standard Webhooks 1.0.0 (https://www.standardwebhooks.com), "Signature scheme": HMAC-SHA256
 * of the id, the time and the body.
 */
import { createHmac } from "node:crypto";
import { BargeError } from "../error.ts";

/** The fewest and the most bytes of a secret. */
const minSecretBytes = 24;
const maxSecretBytes = 64;

/**
 * Parses a secret: `whsec_` and base64 of 24 to 64 bytes.
 *
 * @throws {BargeError} `usage`; the message does not repeat the secret
 */
export function parseSecret(text: string): Uint8Array {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? [];
  const secret = base64 === undefined ? undefined : decoded(base64);
  if (secret && secret.length >= minSecretBytes && secret.length <= maxSecretBytes) return secret;
  const wanted = `whsec_ and ${minSecretBytes} to ${maxSecretBytes} bytes in base64`;
  throw new BargeError("usage", `it is not a secret for webhooks: ${wanted}`, {
    hint: 'make one with `echo "whsec_$(openssl rand -base64 32)"`',
  });
}

/**
 * Returns the headers of a request.
 *
 * @param secrets each gives a signature, so that a receiver may know the old one or the new one
 * @param id of the event, the same at each attempt
 * @param seconds the time of this attempt, since 1970
 *
 * @example
 * ```ts
 * import { signedHeaders } from "./signature.ts";
 * const headers = signedHeaders([new TextEncoder().encode("a secret of 24 bytes, so")], "1-2", "{}", 1674087231);
 * if (headers["webhook-timestamp"] !== "1674087231") throw new Error();
 * if (headers["webhook-signature"] !== "v1,+oBAJlcY4d1bgm7bF79j4bK8Akzlu8M9Xy4nmURv/vc=") throw new Error(headers["webhook-signature"]);
 * ```
 */
export function signedHeaders(
  secrets: readonly Uint8Array[],
  id: string,
  body: string,
  seconds: number,
): Readonly<Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string>> {
  const signatures = secrets.map((secret) =>
    `v1,${createHmac("sha256", secret).update(`${id}.${seconds}.${body}`).digest("base64")}`
  );
  return {
    "webhook-id": id,
    "webhook-timestamp": `${seconds}`,
    "webhook-signature": signatures.join(" "),
  };
}

function decoded(base64: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    return undefined;
  }
}
