/**
 * Certificates as a server uses them: a chain and its key, checked before anybody is told that they
 * are there.
 */
import { Buffer } from "node:buffer";
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { BargeError, typed } from "../error.ts";
import { type Fingerprint, writeFingerprint } from "./fingerprint.ts";

/** What a certificate says. */
export interface CertificateFacts {
  readonly fingerprint: Fingerprint;
  /** Names and addresses that it is for. */
  readonly names: readonly string[];
  readonly subject: string;
  readonly issuer: string;
  /** When it begins and ends to be valid. */
  readonly from: Date;
  readonly until: Date;
}

/** A certificate and the key to it, in PEM; plain text, so that it can be posted to a worker. */
export interface KeyPair {
  /** The server's own certificate first, then those between it and a root. */
  readonly cert: string;
  readonly key: string;
}

/** A pair that was checked. */
export interface Certificate extends CertificateFacts, KeyPair {}

/** Where a pair comes from, for messages. */
export interface Files {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads a certificate and its key.
 *
 * @throws {BargeError} `fatal` when a file can't be read, is none, or the two are no pair, or the
 *   certificate's time is over or has not come
 */
export async function loadCertificate(files: Files, now = new Date()): Promise<Certificate> {
  // One by one, so that of two that are missing the same one is always told.
  const pair = { cert: await read(files.cert), key: await read(files.key) };
  return checkCertificate(pair, files, now);
}

/** {@link loadCertificate} of what was read already. */
function checkCertificate(pair: KeyPair, files: Files, now = new Date()): Certificate {
  const certificate = parse(pair.cert, files.cert);
  const key = parseKey(pair.key, files.key);
  if (!certificate.checkPrivateKey(key)) {
    throw wrong("it is not the key of the certificate", files.key, `${files.cert} needs its own`);
  }
  const facts = factsOf(certificate);
  checkTime(facts, files.cert, now);
  return { ...pair, ...facts };
}

/**
 * What a certificate says of itself; nothing is checked.
 *
 * @param der as it is on the wire
 * @throws {BargeError} `identity` when it is none
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
    const { message } = typed(cause);
    const hint = "name other files with --tls-cert and --tls-key, or run as whom they belong to";
    throw new BargeError("fatal", message, { op: "read", path, hint, cause });
  }
}

function parse(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw wrong("it holds no certificate in PEM", path, undefined, cause);
  }
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    const sealed = /ENCRYPTED/.test(pem);
    const why = sealed ? "the key is sealed with a password" : "it holds no private key in PEM";
    const hint = sealed ? "`openssl pkey -in KEY -out NEW` makes one that is not" : undefined;
    throw wrong(why, path, hint, cause);
  }
}

function checkTime({ from, until }: CertificateFacts, path: string, now: Date): void {
  const day = (date: Date) => date.toISOString().slice(0, 10);
  if (until < now) {
    throw wrong(
      `the certificate ended on ${day(until)}`,
      path,
      "renew it; one that barge made is made anew once its folder is gone, and every client must " +
        "then forget the old one",
    );
  }
  if (from > now) {
    throw wrong(`the certificate begins on ${day(from)}`, path, "is this machine's clock right?");
  }
}

/** @param der the certificate as it is on the wire */
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

/** `DNS:a, IP Address:::1` as names; what else there may be (mail addresses) is left out. */
function namesOf(alternatives: string): string[] {
  return Array.from(
    alternatives.matchAll(/(?:^|, )(?:DNS|IP Address):("[^"]*"|[^,]+)/g),
    ([, name]) => name,
  );
}

function wrong(why: string, path: string, hint?: string, cause?: unknown): BargeError {
  return new BargeError("fatal", why, { op: "use certificate", path, hint, cause });
}
