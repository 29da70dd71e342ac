/** Loads and checks a server's certificate chain and its private key. */
import { Buffer } from "node:buffer";
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { BargeError, typed } from "../error.ts";
import { type Fingerprint, writeFingerprint } from "./fingerprint.ts";

/** The fields of a certificate. */
export interface CertificateFacts {
  readonly fingerprint: Fingerprint;
  /** The names and addresses of the servers that may use it. */
  readonly names: readonly string[];
  readonly subject: string;
  readonly issuer: string;
  /** The start and the end of its validity. */
  readonly from: Date;
  readonly until: Date;
}

/** A certificate and its private key, as PEM text or as paths; it can be posted to a worker. */
export interface KeyPair {
  /** The server's certificate first, then the intermediate ones. */
  readonly cert: string;
  readonly key: string;
}

export interface Certificate extends CertificateFacts, KeyPair {}

/**
 * Reads a certificate and its key.
 *
 * @throws {BargeError} `fatal` when a file can't be read or parsed, the key does not belong to the
 *   certificate, or the certificate is not valid at this time
 */
export async function loadCertificate(paths: KeyPair, now = new Date()): Promise<Certificate> {
  // Not in parallel, so that the error always names the certificate when both files are missing.
  const cert = await read(paths.cert);
  const key = await read(paths.key);
  return parseCertificate({ cert, key }, paths, now);
}

/**
 * Checks a certificate and its key.
 *
 * @param pair as PEM text
 * @param names the names of the certificate and the key in errors
 * @throws {BargeError} as {@link loadCertificate}
 */
export function parseCertificate(
  { cert, key }: KeyPair,
  names: KeyPair = { cert: "certificate", key: "key" },
  now = new Date(),
): Certificate {
  const certificate = parse(cert, names.cert);
  if (!certificate.checkPrivateKey(parseKey(key, names.key))) {
    const why = "it is not the key of the certificate";
    throw invalid(why, names.key, `name the key of ${names.cert} with --tls-key`);
  }
  const facts = factsOf(certificate);
  checkTime(facts, names.cert, now);
  return { cert, key, ...facts };
}

/**
 * Returns the fields of a certificate, unchecked.
 *
 * @param der in its binary form
 * @throws {BargeError} `identity` when it can't be parsed
 */
export function describeCertificate(der: Uint8Array): CertificateFacts {
  try {
    return factsOf(new X509Certificate(Buffer.from(der)));
  } catch (cause) {
    throw new BargeError("identity", "the certificate is not readable", { cause });
  }
}

async function read(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    const { kind, message } = typed(cause);
    const owner = kind === "denied" ? ", or run barge as their owner" : "";
    const hint = `name other files with --tls-cert and --tls-key${owner}`;
    throw new BargeError("fatal", message, { op: "read", path, hint, cause });
  }
}

function parse(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw invalid("it holds no certificate in PEM", path, undefined, cause);
  }
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    if (!/ENCRYPTED/.test(pem)) {
      throw invalid("it holds no private key in PEM", path, undefined, cause);
    }
    const hint = "decrypt it: `openssl pkey -in KEY -out NEW`";
    throw invalid("the key is encrypted with a password", path, hint, cause);
  }
}

function checkTime({ from, until }: CertificateFacts, path: string, now: Date): void {
  const day = (date: Date) => date.toISOString().slice(0, 10);
  if (until < now) {
    const hint =
      "renew it. If barge made it, remove the folder `tls` of the data directory: barge then makes " +
      "a new one, and every client must forget the old one";
    throw invalid(`the certificate expired on ${day(until)}`, path, hint);
  }
  if (from > now) {
    throw invalid(
      `the certificate is not valid before ${day(from)}`,
      path,
      "check this machine's clock",
    );
  }
}

/** Returns the fingerprint of a certificate. @param der its binary form */
export function fingerprintOf(der: Uint8Array): Fingerprint {
  return writeFingerprint(createHash("sha256").update(der).digest());
}

function factsOf(certificate: X509Certificate): CertificateFacts {
  return {
    fingerprint: fingerprintOf(certificate.raw),
    names: namesOf(certificate.subjectAltName ?? ""),
    subject: certificate.subject ?? "",
    issuer: certificate.issuer ?? "",
    from: new Date(certificate.validFrom),
    until: new Date(certificate.validTo),
  };
}

/** Parses `DNS:a, IP Address:::1`; other kinds of names, such as mail addresses, are left out. */
function namesOf(alternatives: string): string[] {
  return Array.from(
    alternatives.matchAll(/(?:^|, )(?:DNS|IP Address):("[^"]*"|[^,]+)/g),
    ([, name]) => name,
  );
}

function invalid(why: string, path: string, hint?: string, cause?: unknown): BargeError {
  return new BargeError("fatal", why, { op: "use certificate", path, hint, cause });
}
