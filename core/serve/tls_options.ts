/** Decides which doors speak TLS, and with which certificate. */
import type { DoorName, DoorSpec } from "../door/door.ts";
import { BargeError } from "../error.ts";
import { type Certificate, loadCertificate } from "../net/certificate.ts";
import type { Ground } from "./ground.ts";
import { usesTls } from "../net/trust.ts";

/** PEM files in place of the certificate that barge makes; both or none. */
export interface CertificateFiles {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** The operator's options for TLS. */
export interface TlsOptions extends CertificateFiles {
  /** Use TLS also for doors on loopback addresses. */
  readonly tls: boolean;
  /** Use no TLS, also on addresses that others can reach. */
  readonly plaintext: boolean;
}

/** Reads the certificate; called again for a reload. @throws {BargeError} `fatal`, `no-space` */
export type CertificateSource = (ground: Pick<Ground, "certificate">) => Promise<Certificate>;

/**
 * Decides how a door speaks TLS. An FTP door that does not require TLS offers it. A Unix socket never has TLS:
 * no network is in between.
 *
 * @param host where the door listens
 * @throws {BargeError} `usage` for options that exclude each other
 */
export function tlsOf(door: DoorName, host: string, options: TlsOptions): DoorSpec["tls"] {
  const { tlsCert, tlsKey, plaintext } = options;
  const tls = options.tls || tlsCert !== undefined || tlsKey !== undefined;
  const required = usesTls(host, { tls, plaintext });
  if (door === "sftp" || host.startsWith("unix:")) return "off";
  if (door === "ftps" || required) return "require";
  return door === "ftp" ? "offer" : "off";
}

/**
 * Chooses the source of the certificate: the operator's files, otherwise the storage, where a
 * missing certificate is made.
 *
 * @param hosts the hosts of the doors with TLS
 * @returns undefined if no door has TLS
 * @throws {BargeError} `usage` when only one of certificate and key is named
 */
export function certificateSource(
  hosts: readonly string[],
  { tlsCert: cert, tlsKey: key }: CertificateFiles,
): CertificateSource | undefined {
  if (hosts.length === 0) return undefined;
  if (cert === undefined && key === undefined) return (ground) => ground.certificate(hosts);
  if (cert === undefined || key === undefined) {
    const missing = cert === undefined ? "--tls-cert" : "--tls-key";
    throw new BargeError("usage", `${missing} is missing: a certificate and its key go together`);
  }
  return () => loadCertificate({ cert, key });
}
