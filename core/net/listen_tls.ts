/**
 * Accepts TLS connections, and returns each one after its handshake. A renewed certificate applies to
 * new connections only.
 */
import { BargeError } from "../error.ts";
import { acceptTls, type ServerIdentity, serverIdentity } from "./accept_tls.ts";
import type { Address } from "./address.ts";
import type { KeyPair } from "./certificate.ts";
import { answerChallenge, type FindChallenge } from "./challenge/challenge.ts";
import {
  type Conn,
  type ConnListener,
  PreparedListener,
  type PrepareOptions,
} from "./prepared_listener.ts";
import { alpn, type TlsPipe } from "./tls_pipe.ts";

export interface TlsListenOptions
  extends Partial<Pick<PrepareOptions, "maxPending" | "onFailure">> {
  /** Shares the port with other isolates. */
  readonly reusePort?: boolean;
  /** Milliseconds until the handshake must be done; 10 s by default. */
  readonly handshakeTimeoutMs?: number;
  /** Opens the listener; `Deno.listen` by default. */
  readonly listen?: (options: Deno.TcpListenOptions) => ConnListener;
  /** Finds the answers to a certificate authority's challenges; undefined: it answers none. */
  readonly findChallenge?: FindChallenge;
}

/** A connection and its client's address. */
export interface Accepted extends TlsPipe {
  readonly remoteAddr: Deno.NetAddr;
}

export class TlsListener extends PreparedListener<Accepted> implements Disposable {
  readonly #findChallenge: FindChallenge | undefined;
  /** Used for new connections. */
  #identity: ServerIdentity;

  /**
   * @throws {BargeError} `fatal` when the certificate can't be used
   * @throws {Deno.errors.AddrInUse} and others when it can't listen there
   */
  constructor(
    { host: hostname, port }: Address,
    pair: KeyPair,
    {
      reusePort = false,
      handshakeTimeoutMs: timeoutMs = 10_000,
      maxPending = 256,
      onFailure = () => {},
      listen = Deno.listen,
      findChallenge,
    }: TlsListenOptions = {},
  ) {
    const identity = serverIdentity(pair, [alpn]);
    const late = "handshake timeout";
    const full = "too many connections wait for a handshake";
    const listener = listen({ hostname, port, reusePort });
    super(listener, { timeoutMs, maxPending, late, full, onFailure });
    this.#identity = identity;
    this.#findChallenge = findChallenge;
  }

  /**
   * Uses another certificate for new connections.
   *
   * @throws {BargeError} `fatal` when it can't be used; the old one then stays in use
   */
  reload(pair: KeyPair): void {
    this.#identity = serverIdentity(pair, [alpn]);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected override async prepare(conn: Conn): Promise<Accepted> {
    conn.setNoDelay(true);
    const below = this.#findChallenge ? await answerChallenge(conn, this.#findChallenge) : conn;
    if (!below) throw new BargeError("unavailable", "it was a certificate authority's challenge");
    const pipe = await acceptTls(below, this.#identity, true);
    return Object.assign(pipe, { remoteAddr: conn.remoteAddr as Deno.NetAddr });
  }
}
