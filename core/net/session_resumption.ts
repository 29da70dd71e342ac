/**
 * Proves that two TLS connections come from the same client: the second connection resumes the session of
 * the first, whose master secret only that client knows.
 *
 * The runtime reports whether a session was resumed (`isSessionReused`), but not which one, and it
 * encrypts the tickets of all connections with one key, so it accepts a ticket of any client. TLS 1.2 sends
 * tickets unencrypted, though (RFC 5077): the server's NewSessionTicket names the session of the first
 * connection, and the client's hello names the session that it resumes. TLS 1.3 encrypts the server's tickets,
 * so both connections use TLS 1.2. A client without tickets can resume nothing: the runtime keeps no sessions
 * by their ids.
 */
import { createHash } from "node:crypto";
import { BargeError } from "../error.ts";
import { acceptTls, type ServerIdentity } from "./accept_tls.ts";
import { Handshake, issuedTicket, offeredTicket } from "./handshake.ts";
import { PipeOver } from "./pipe_over.ts";
import type { Pipe } from "./stream.ts";
import type { TlsPipe } from "./tls_pipe.ts";
import type { Tickets } from "./tls_tickets.ts";

/**
 * The most tickets that are kept of those issued to resumed connections. Clients resume with the ticket of
 * their first connection, which is always kept, or with the newest one.
 */
const maxRenewed = 16;

/** The clients that must resume: all, those that were issued a ticket, or none. */
export type SessionReuse = "always" | "tickets" | "never";

/** The sessions of one client, by digests of their tickets. */
export class Sessions {
  readonly #first = new Set<string>();
  readonly #renewed = new Set<string>();
  readonly #table: Tickets;
  #session: bigint | undefined;
  #account: number | undefined;

  /** @param table shared with all other connections */
  constructor(table: Tickets) {
    this.#table = table;
  }

  /**
   * Accepts from now on also the sessions of the account's other connections.
   *
   * @param account undefined: accept no other connection's sessions
   */
  login(account: number | undefined): void {
    this.#account = account;
    if (account === undefined || this.#session === undefined) return;
    this.#table.login(this.#session, account);
  }

  /**
   * Makes the handshake on the client's first connection.
   *
   * @param isNew as of `acceptTls`
   * @throws as `acceptTls`
   */
  async begin(below: Pipe, identity: ServerIdentity, isNew: boolean): Promise<TlsPipe> {
    const { pipe, resumed, issued } = await handshake(below, identity, isNew);
    if (resumed) {
      this.#session = this.#table.sessionOf(resumed) ?? this.#table.begin(resumed);
      this.#first.add(resumed);
    }
    if (issued) {
      this.#first.add(issued);
      if (this.#session === undefined) this.#session = this.#table.begin(issued);
      else this.#table.renew(issued, this.#session);
    }
    return pipe;
  }

  /**
   * Makes the handshake on another connection of the same client.
   *
   * @throws {BargeError} `identity` when nothing proves that the client is the same; as `acceptTls`
   */
  async join(below: Pipe, identity: ServerIdentity, reuse: SessionReuse): Promise<TlsPipe> {
    const { pipe, resumed, issued } = await handshake(below, identity);
    if (resumed && this.#knows(resumed)) {
      if (issued) this.#renew(issued, this.#table.sessionOf(resumed) ?? this.#session);
      return pipe;
    }
    if (reuse === "never" || reuse === "tickets" && this.#first.size === 0) return pipe;
    pipe.abandon();
    throw new BargeError(
      "identity",
      "the data connection did not resume the control connection's TLS session",
      {
        hint:
          "another client may have opened it, or this client does not resume sessions: docs/ftp.md",
      },
    );
  }

  #knows(ticket: string): boolean {
    if (this.#first.has(ticket) || this.#renewed.has(ticket)) return true;
    const session = this.#table.sessionOf(ticket);
    if (session === undefined) return false;
    if (session === this.#session) return true;
    return this.#account !== undefined && this.#table.hasLoggedIn(session, this.#account);
  }

  #renew(ticket: string, session: bigint | undefined): void {
    if (session !== undefined) this.#table.renew(ticket, session);
    this.#renewed.add(ticket);
    const [oldest] = this.#renewed;
    if (this.#renewed.size > maxRenewed) this.#renewed.delete(oldest);
  }
}

/** Makes the handshake. @returns also the tickets of the session that it resumed, and of the new one */
async function handshake(below: Pipe, identity: ServerIdentity, isNew = false) {
  const watched = new Watched(below);
  const pipe = await acceptTls(watched, { ...identity, context: identity.tls12 }, isNew);
  const { offered, issued } = watched.tickets();
  return { pipe, resumed: pipe.socket.isSessionReused() ? offered : undefined, issued };
}

/** A connection whose handshake is parsed as it passes. */
class Watched extends PipeOver<Pipe> {
  readonly #received = new Handshake();
  readonly #sent = new Handshake();

  /** Returns the digests of the tickets that the client offered and the server issued. */
  tickets(): { offered: string | undefined; issued: string | undefined } {
    return {
      offered: digest(offeredTicket(this.#received.messages)),
      issued: digest(issuedTicket(this.#sent.messages)),
    };
  }

  override async read(into: Uint8Array): Promise<number | null> {
    const n = await super.read(into);
    if (n !== null) this.#received.feed(into.subarray(0, n));
    return n;
  }

  override async write(bytes: Uint8Array): Promise<number> {
    const n = await super.write(bytes);
    this.#sent.feed(bytes.subarray(0, n));
    return n;
  }
}

function digest(ticket: Uint8Array | undefined): string | undefined {
  return ticket && createHash("sha256").update(ticket).digest("base64");
}
