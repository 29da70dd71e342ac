/**
 * A certificate's fingerprint: the SHA-256 of its DER in OpenSSH's form, `SHA256:` and 43 letters of
 * base64 without padding. The hex form of `openssl x509 -fingerprint -sha256` is read, too.
 */
import { BargeError } from "../error.ts";

declare const checked: unique symbol;
/** `SHA256:...` in its canonical form, so that fingerprints can be compared as text. */
export type Fingerprint = string & { readonly [checked]: true };

/** Formats a fingerprint. @param digest the SHA-256 of the certificate's binary form */
export function writeFingerprint(digest: Uint8Array): Fingerprint {
  return `SHA256:${digest.toBase64({ omitPadding: true })}` as Fingerprint;
}

/**
 * Reads a fingerprint as barge, ssh or openssl write it.
 *
 * @throws {BargeError} `usage`
 *
 * @example
 * ```ts
 * import { parseFingerprint } from "./fingerprint.ts";
 * const fingerprint = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
 * const hex = "sha256 Fingerprint=E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:" +
 *   "27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55";
 * if (parseFingerprint(hex) !== fingerprint || parseFingerprint(fingerprint) !== fingerprint) throw new Error();
 * ```
 */
export function parseFingerprint(text: string): Fingerprint {
  const bare = text.trim().replace(/^sha-?256(?: fingerprint=|:)/i, "");
  const hex = bare.replaceAll(":", "");
  if (/^[0-9a-f]{64}$/i.test(hex)) return writeFingerprint(Uint8Array.fromHex(hex));
  if (/^[A-Za-z0-9+/]{43}=?$/.test(bare)) {
    const fingerprint = writeFingerprint(Uint8Array.fromBase64(bare));
    // Two bits of the last letter are unused; where they are set, the letter is mistyped.
    if (fingerprint === `SHA256:${bare.slice(0, 43)}`) return fingerprint;
  }
  throw new BargeError("usage", `${JSON.stringify(text)} is not a certificate's fingerprint`, {
    hint: "it looks like SHA256:47DEQpj8...; `barge cert` prints it at the server",
  });
}
