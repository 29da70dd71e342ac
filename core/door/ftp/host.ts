/** The parts that all connections of an FTP door share. */
import type { ServerIdentity } from "../../net/accept_tls.ts";
import type { Tickets } from "../../net/tls_tickets.ts";
import type { DoorSpec, FtpSpec } from "../door.ts";
import type { Timeouts } from "./timeouts.ts";

export interface Host {
  readonly spec: DoorSpec & { readonly ftp: FtpSpec };
  readonly timeouts: Timeouts;
  /** Returns the current certificate. */
  readonly certificate: () => ServerIdentity | undefined;
  /** The TLS sessions of all connections. */
  readonly tickets: Tickets;
}
