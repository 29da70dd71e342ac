/**
 * The interface of doors. Every worker opens each door, all on the same port.
 *
 *   open -> serving -> stopping -> stopped
 */
import type { Address } from "../net/address.ts";
import type { KeyPair } from "../net/certificate.ts";
import type { SessionReuse } from "../net/session_resumption.ts";
import type { Service } from "../login/service.ts";
import { type DoorName, doorNames } from "../watch/metrics.ts";

export { type DoorName, doorNames };

/** The operator's options of a door, which are sent to the workers. */
export interface DoorSpec {
  readonly name: DoorName;
  readonly address: Address;
  /**
   * The descriptor of a socket that listens at the address already: a Unix socket, or a socket of the service
   * manager. Each worker gets a duplicate, which it closes.
   */
  readonly descriptor?: number;
  /**
   * `off`: no TLS (also for SFTP, which has its own encryption). `offer`: a client may ask for TLS (FTP).
   * `require`: no login and no data without TLS.
   */
  readonly tls: "off" | "offer" | "require";
  readonly ftp?: FtpSpec;
  /** Addresses and networks of proxies that may state their clients' addresses. */
  readonly trustedProxies?: readonly string[];
  /** True if these proxies send a PROXY header with each connection; HTTP has header fields instead. */
  readonly proxyProtocol?: boolean;
  /** HTTP: the URL of the server for clients, as in `https://box.example/files`. */
  readonly publicUrl?: string;
  /** HTTP: serves the metrics to everybody, and no files. */
  readonly metricsOnly?: boolean;
  /** HTTP: answers the challenges of a certificate authority, and serves no files. */
  readonly challengesOnly?: boolean;
  /** The challenges that the doors answer (RFC 8555, section 8.3; RFC 8737); absent without ACME. */
  readonly challenge?: "http-01" | "tls-alpn-01";
}

/** The options of FTP's data connections. */
export interface FtpSpec {
  /** The ports to listen on: the first and the last. */
  readonly passive: readonly [first: number, last: number];
  /**
   * The clients whose data connections must resume the TLS session of their control connection. For
   * other clients, anybody with the client's address can open the data connection in the client's place.
   */
  readonly sessionReuse: SessionReuse;
  /** The address in replies to PASV; undefined: the address that the client has connected to. */
  readonly publicAddress: string | undefined;
  /**
   * True if the server may connect to clients on other machines (PORT). Workers then have the
   * permission to connect to any IPv4 address but this machine's.
   */
  readonly active: boolean;
  /**
   * True if the server may connect to clients on this machine (PORT). Workers then have the permission to
   * connect to all services of this machine.
   */
  readonly activeLoopback: boolean;
}

export interface Opening {
  readonly store: Service;
  readonly spec: DoorSpec;
  /** True to share the port with other workers. */
  readonly reusePort: boolean;
  /** The certificate; needed unless `spec.tls` is `off`. */
  readonly tls: KeyPair | undefined;
  /** The private keys of the SFTP door, in OpenSSH's format; none for the other doors. */
  readonly hostKeys?: readonly string[];
}

export interface Door {
  /** Its address, with the port that the system chose for port 0. */
  readonly address: Address;
  /** The number of open connections. */
  readonly connections: number;
  /**
   * Stops accepting, waits for the requests under way, and closes the connections that still have one
   * after `grace` ms; their uploads become partial uploads.
   */
  stop(grace: number): Promise<void>;
  /** Replaces the certificate; undefined without TLS. */
  readonly reload?: (tls: KeyPair) => void | Promise<void>;
}

/**
 * @throws {Deno.errors.AddrInUse} and others when it can't listen there; {BargeError} `fatal` when
 *   the certificate or a key can't be used
 */
export type OpenDoor = (opening: Opening) => Door | Promise<Door>;
