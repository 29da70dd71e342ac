/** Digests in headers: RFC 9530, SHA-256 only. */
import { Buffer } from "node:buffer";
import { BargeError } from "../../error.ts";

/**
 * Formats a digest for `Repr-Digest` and `Content-Digest`.
 *
 * @param sha256 in hex
 */
export function writeDigest(sha256: string): string {
  return `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`;
}

/**
 * Returns the SHA-256 in a digest field, in hex.
 *
 * @throws {BargeError} `usage` if it is malformed
 *
 * @example
 * ```ts
 * import { readDigest, writeDigest } from "./digest_field.ts";
 * const hex = "00".repeat(32);
 * if (readDigest(`sha-512=:AAAA:, ${writeDigest(hex)}`) !== hex) throw new Error();
 * if (readDigest("md5=:AAAA:") !== undefined) throw new Error();
 * ```
 */
export function readDigest(field: string | undefined): string | undefined {
  const value = field?.split(",").map((member) => /^\s*sha-256=(.*)$/.exec(member)?.[1].trim())
    .findLast((text) => text !== undefined);
  if (value === undefined) return undefined;
  const base64 = /^:([A-Za-z0-9+/]{43}=):$/.exec(value)?.[1];
  if (base64 !== undefined) return Buffer.from(base64, "base64").toString("hex");
  throw new BargeError("usage", "the digest is malformed", {
    hint: "write it as in RFC 9530: sha-256=:BASE64:",
  });
}

/** Returns whether a `Want-*-Digest` field requests SHA-256. */
export function wantsDigest(field: string | undefined): boolean {
  return /(?:^|,)\s*sha-256=(?:[1-9]|10)\s*(?:,|$)/.test(field ?? "");
}
