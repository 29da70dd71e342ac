/** Whether a server speaks TLS, and with which certificate. */
import type { DoorName, DoorSpec } from "../door/door.ts";
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
 * How a door is to speak TLS. FTP may be asked for it wherever it is not a must.
 *
 * @param host where the door listens
 * @throws {BargeError} `usage` for options that exclude each other
 */
export function tlsOf(door: DoorName, host: string, options: Security): DoorSpec["tls"] {
  const { tlsCert, tlsKey, plaintext } = options;
  const tls = options.tls || tlsCert !== undefined || tlsKey !== undefined;
  const must = usesTls(host, { tls, plaintext });
  if (door === "sftp") return "off";
  if (door === "ftps" || must) return "require";
  return door === "ftp" ? "offer" : "off";
}

/**
 * Where the certificate of a server comes from: the files that are named, else the data directory,
 * where it is made if there is none.
 *
 * @param hosts where the doors with TLS listen
 * @returns undefined if there are none
 * @throws {BargeError} `usage` for options that exclude each other. The source: `fatal`
 */
export function certificateSource(
  hosts: readonly string[],
  { tlsCert: cert, tlsKey: key }: Security,
): CertificateSource | undefined {
  if (hosts.length === 0) return undefined;
  if (cert === undefined && key === undefined) return (data) => ownCertificate(data, hosts);
  if (cert === undefined || key === undefined) {
    const missing = cert === undefined ? "--tls-cert" : "--tls-key";
    throw new BargeError("usage", `${missing} is missing: a certificate and its key go together`);
  }
  return () => loadCertificate({ cert, key });
}
