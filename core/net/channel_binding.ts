/**
 * The channel binding `tls-server-end-point` (RFC 5929, section 4). A login signs it to name the
 * certificate of its connection, so that a server with another certificate can't relay the login.
 *
 * The binding is a digest of the certificate's DER. The hash algorithm is that of the certificate's
 * signature, but SHA-256 in place of MD5 and SHA-1. The RFC leaves signatures without a single hash
 * algorithm undefined: BARGE/1 takes SHA-512 for Ed25519, whose signatures use it (RFC 8032), and SHA-256
 * for all others.
 */
import { createHash, X509Certificate } from "node:crypto";
import { BargeError } from "../error.ts";
import { bindingName } from "./binding_name.ts";

/** The hash algorithm of each signature algorithm, by its object identifier in hex; others: SHA-256. */
const hashes: Readonly<Record<string, string>> = {
  "2a864886f70d01010b": "sha256", // sha256WithRSAEncryption
  "2a864886f70d01010c": "sha384",
  "2a864886f70d01010d": "sha512",
  "2a864886f70d01010e": "sha224",
  "2a8648ce3d040301": "sha224", // ecdsa-with-SHA224
  "2a8648ce3d040302": "sha256",
  "2a8648ce3d040303": "sha384",
  "2a8648ce3d040304": "sha512",
  "2b6570": "sha512", // Ed25519
};
/** RSASSA-PSS (RFC 4055) names its hash in its parameters; SHA-1 by default. */
const pss = "2a864886f70d01010a";
const pssHashes: Readonly<Record<string, string>> = {
  "608648016503040201": "sha256",
  "608648016503040202": "sha384",
  "608648016503040203": "sha512",
  "608648016503040204": "sha224",
};

/**
 * Returns the binding to a certificate: its name, a colon and the digest in base64.
 *
 * @param der the server's certificate in its binary form
 * @throws {RangeError} when it can't be parsed
 */
export function bindingOf(der: Uint8Array): string {
  return `${bindingName}:${createHash(hashOf(der)).update(der).digest("base64")}`;
}

/**
 * Returns the bindings to all certificates of a PEM text.
 *
 * @throws {BargeError} `fatal` when one can't be read
 */
export function bindingsOf(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => bindingOf(new X509Certificate(block).raw));
  } catch (cause) {
    throw new BargeError("fatal", "the certificate is not readable", { cause });
  }
}

/**
 * Returns the hash algorithm for the binding to a certificate.
 *
 * Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature }: RFC 5280, section 4.1.
 */
function hashOf(der: Uint8Array): string {
  const signed = element(der, element(der, 0).start);
  const algorithm = element(der, signed.end);
  const name = element(der, algorithm.start);
  const id = hex(der, name);
  if (id !== pss) return hashes[id] ?? "sha256";
  // RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] AlgorithmIdentifier DEFAULT sha1, ... }
  if (name.end === algorithm.end) return "sha256";
  const parameters = element(der, name.end);
  if (parameters.start === parameters.end || der[parameters.start] !== 0xa0) return "sha256";
  const hash = element(der, element(der, parameters.start).start);
  return pssHashes[hex(der, element(der, hash.start))] ?? "sha256";
}

interface Element {
  /** The offsets at which its content starts and ends. */
  readonly start: number;
  readonly end: number;
}

/** Parses the DER element at an offset. @throws {RangeError} when it is cut off */
function element(der: Uint8Array, offset: number): Element {
  const first = der[offset + 1];
  const lengthBytes = first > 0x7f ? first & 0x7f : 0;
  const start = offset + 2 + lengthBytes;
  let length = lengthBytes ? 0 : first;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + der[offset + 2 + i];
  const end = start + length;
  if (!(end <= der.length)) throw new RangeError("the certificate is cut off");
  return { start, end };
}

function hex(der: Uint8Array, { start, end }: Element): string {
  return der.subarray(start, end).toHex();
}
