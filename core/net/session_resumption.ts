/**
 * Proves that one TLS connection belongs to the client of another: it resumes that one's session,
 * whose master secret nobody else knows.
 *
 * The runtime reports whether a session was resumed (`isSessionReused`), and not which; and it
 * encrypts the tickets of all connections with one key, so that any client's would do. TLS 1.2 sends
 * tickets in the clear, though (RFC 5077): the server's NewSessionTicket names the session of the
 * first connection, and the client's hello the one that it resumes. TLS 1.3 encrypts the former,
 * so both connections use 1.2. A client without tickets can resume nothing there: the runtime keeps no
 * sessions by their ids.
 */
import { createHash } from "node:crypto";
import { BargeError } from "../error.ts";
import { acceptTls, type ServerIdentity } from "./accept_tls.ts";
import { Handshake, issuedTicket, offeredTicket } from "./handshake.ts";
import type { Pipe } from "./stream.ts";
import type { TlsPipe } from "./tls_pipe.ts";

/** Tickets of resumed sessions that are remembered: clients use the first one, or the last. */
const maxRenewed = 16;

/** Of which clients this is demanded: of all, of those that took a ticket, of none. */
export type SessionReuse = "always" | "tickets" | "never";

/** The sessions of all connections. Tickets are digests of what was sent. */
export interface SessionTable {
  /** The session that a ticket stands for, if it is known. */
  sessionOf(ticket: string): bigint | undefined;
  /** Begins a session with its first ticket. */
  begin(ticket: string): bigint;
  /** Notes another ticket of a session. */
  renew(ticket: string, session: bigint): void;
  /** Notes that a client has logged in with a session. */
  login(session: bigint, account: number): void;
  isOf(session: bigint, account: number): boolean;
}

/** The sessions of one client, by digests of their tickets. */
export class Sessions {
  readonly #first = new Set<string>();
  readonly #renewed = new Set<string>();
  readonly #table: SessionTable;
  #session: bigint | undefined;
  #account: number | undefined;

  /** @param table shared with all other connections */
  constructor(table: SessionTable) {
    this.#table = table;
  }

  /** Lets sessions of an account's other connections do as well; undefined: no more. */
  login(account: number | undefined): void {
    this.#account = account;
    if (account === undefined || this.#session === undefined) return;
    this.#table.login(this.#session, account);
  }

  /**
   * Shakes hands on the connection that the others are to belong to.
   *
   * @throws as `acceptTls`
   */
  async begin(below: Pipe, shown: ServerIdentity): Promise<TlsPipe> {
    const watched = new Watched(below);
    const pipe = await acceptTls(watched, { ...shown, context: shown.tls12 });
    const { offered, issued } = watched.tickets();
    const resumes = offered !== undefined && resumed(pipe);
    if (resumes) this.#session = this.#table.sessionOf(offered) ?? this.#table.begin(offered);
    if (resumes) this.#first.add(offered);
    if (issued) {
      this.#first.add(issued);
      if (this.#session === undefined) this.#session = this.#table.begin(issued);
      else this.#table.renew(issued, this.#session);
    }
    return pipe;
  }

  /**
   * Shakes hands on another connection of the same client.
   *
   * @throws {BargeError} `identity` when it is not known to be the same; as `acceptTls`
   */
  async join(below: Pipe, shown: ServerIdentity, reuse: SessionReuse): Promise<TlsPipe> {
    const watched = new Watched(below);
    const pipe = await acceptTls(watched, { ...shown, context: shown.tls12 });
    const { offered, issued } = watched.tickets();
    if (offered && this.#knows(offered) && resumed(pipe)) {
      if (issued) this.#renew(issued, this.#table.sessionOf(offered) ?? this.#session);
      return pipe;
    }
    if (reuse === "never" || reuse === "tickets" && this.#first.size === 0) return pipe;
    pipe.abandon();
    throw new BargeError("identity", "the data connection did not resume this one's TLS session", {
      hint: "somebody else may have taken it; or this client resumes none: docs/ftp.md",
    });
  }

  #knows(ticket: string): boolean {
    if (this.#first.has(ticket) || this.#renewed.has(ticket)) return true;
    const session = this.#table.sessionOf(ticket);
    if (session === undefined) return false;
    if (session === this.#session) return true;
    return this.#account !== undefined && this.#table.isOf(session, this.#account);
  }

  #renew(ticket: string, session: bigint | undefined): void {
    if (session !== undefined) this.#table.renew(ticket, session);
    this.#renewed.add(ticket);
    const [oldest] = this.#renewed;
    if (this.#renewed.size > maxRenewed) this.#renewed.delete(oldest);
  }
}

function resumed({ socket }: TlsPipe): boolean {
  return socket.isSessionReused() === true;
}

/** A connection whose handshake is read along. */
class Watched implements Pipe {
  readonly #below: Pipe;
  readonly #received = new Handshake();
  readonly #sent = new Handshake();

  constructor(below: Pipe) {
    this.#below = below;
  }

  /** The digests of the tickets that the client offered and the server issued. */
  tickets(): { offered: string | undefined; issued: string | undefined } {
    return {
      offered: digest(offeredTicket(this.#received.messages)),
      issued: digest(issuedTicket(this.#sent.messages)),
    };
  }

  async read(into: Uint8Array): Promise<number | null> {
    const n = await this.#below.read(into);
    if (n !== null && !this.#received.ended) this.#received.feed(into.subarray(0, n));
    return n;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const n = await this.#below.write(bytes);
    if (!this.#sent.ended) this.#sent.feed(bytes.subarray(0, n));
    return n;
  }

  closeWrite(): Promise<void> {
    return this.#below.closeWrite();
  }

  close(): void {
    this.#below.close();
  }
}

function digest(ticket: Uint8Array | undefined): string | undefined {
  return ticket && createHash("sha256").update(ticket).digest("base64");
}
