/**
 * What the server knows of a door: how it is asked for one, and how it ends it. A door is opened in
 * every worker, all of them on the same port.
 *
 *   open -> serving -> stopping -> stopped
 */
import type { Address } from "../net/address.ts";
import type { KeyPair } from "../net/certificate.ts";
import type { SessionReuse } from "../net/session_resumption.ts";
import type { Store } from "../local/store.ts";
import { type DoorName, doorNames } from "../watch/metrics.ts";

export { type DoorName, doorNames };

/** What the operator decided on a door; goes to the workers. */
export interface DoorSpec {
  readonly name: DoorName;
  readonly address: Address;
  /**
   * `off`: it has none (also SFTP, which brings its own). `offer`: a client may ask for it (FTP).
   * `require`: nothing of worth is said without.
   */
  readonly tls: "off" | "offer" | "require";
  readonly ftp?: FtpSpec;
  /** Addresses and networks of proxies that are believed about their clients' addresses. */
  readonly trustedProxies?: readonly string[];
  /** Do these proxies send a PROXY header with each connection? HTTP has header fields instead. */
  readonly proxyProtocol?: boolean;
  /** HTTP: where clients find the server, as in `https://box.example/files`. */
  readonly publicUrl?: string;
  /** HTTP: serves the numbers for Prometheus to everybody who connects, and no files. */
  readonly metricsOnly?: boolean;
}

/** Of data connections. */
export interface FtpSpec {
  /** Where a worker may listen for them: the first port and the last. */
  readonly passive: readonly [first: number, last: number];
  /**
   * Which clients' data connections must resume the TLS session of their control connection? Those of
   * others can be taken by a stranger with the client's address.
   */
  readonly sessionReuse: SessionReuse;
  /** What clients are told to connect to; undefined: the address that they reached. */
  readonly publicAddress: string | undefined;
  /**
   * May clients on other machines have the server connect to them (PORT)? Workers may then connect
   * to any IPv4 address but this machine's.
   */
  readonly active: boolean;
  /** The same for clients on this machine. Workers may then connect to all that listens on it. */
  readonly activeLoopback: boolean;
}

export interface Opening {
  readonly store: Store;
  readonly spec: DoorSpec;
  /** Share the port with other workers? */
  readonly reusePort: boolean;
  /** What to show where `spec.tls` is not `off`. */
  readonly tls: KeyPair | undefined;
  /** The private keys of the SFTP door, in OpenSSH's format; none for the other doors. */
  readonly hostKeys?: readonly string[];
}

/** A door that is open. */
export interface Door {
  /** Where it listens, port 0 resolved. */
  readonly address: Address;
  /** How many connections are open. */
  readonly connections: number;
  /**
   * Stops accepting, lets the requests that are under way end, and cuts what still runs after
   * `grace` ms: uploads among that can be continued.
   */
  stop(grace: number): Promise<void>;
  /** Shows another certificate from here on; only a door with TLS can. */
  readonly reload?: (tls: KeyPair) => void | Promise<void>;
}

/**
 * @throws {Deno.errors.AddrInUse} and others when it can't listen there; {BargeError} `fatal` when
 *   the certificate or a key can't be used
 */
export type OpenDoor = (opening: Opening) => Door | Promise<Door>;
