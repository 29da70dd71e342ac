/** Whether a server speaks TLS, and with which certificate. */
import { BargeError } from "../error.ts";
import { type Certificate, loadCertificate } from "../net/certificate.ts";
import { ownCertificate } from "../net/own_certificate.ts";
import { usesTls } from "../net/trust.ts";

/** What the operator decided on TLS. */
export interface Security {
  /** TLS also where only this machine can connect. */
  readonly tls: boolean;
  /** No TLS, also where others can connect. */
  readonly plaintext: boolean;
  /** PEM files to use in place of the certificate that barge makes; both or none. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** Gives the certificate as it is now; called again for a reload. */
export type CertificateSource = (data: string) => Promise<Certificate>;

/**
 * Where the certificate of a server comes from: the files that are named, else the data directory,
 * where it is made if there is none.
 *
 * @param host where it listens
 * @returns undefined if it is to be without TLS
 * @throws {BargeError} `usage` for options that exclude each other. The source: `fatal`
 */
export function certificateSource(
  host: string,
  { tls, plaintext, tlsCert: cert, tlsKey: key }: Security,
): CertificateSource | undefined {
  const named = cert !== undefined || key !== undefined;
  if (!usesTls(host, { tls: tls || named, plaintext })) return undefined;
  if (!named) return (data) => ownCertificate(data, host);
  if (cert === undefined || key === undefined) {
    const missing = cert === undefined ? "--tls-cert" : "--tls-key";
    throw new BargeError("usage", `${missing} is missing: a certificate and its key go together`);
  }
  return () => loadCertificate({ cert, key });
}
