/**
 * Accepts TLS connections, and returns each one after its handshake. Handshakes run side by side, each
 * with a timeout; the oldest is cut when too many are under way. A renewed certificate applies to new
 * connections only.
 *
 *   listening -> closed
 */
import { BargeError } from "../error.ts";
import { acceptTls, type ServerIdentity, serverIdentity } from "./accept_tls.ts";
import type { Address } from "./address.ts";
import type { Conn, ConnListener } from "./listen_proxied.ts";
import type { KeyPair } from "./certificate.ts";
import { alpn, type TlsPipe } from "./tls_pipe.ts";

export interface TlsListenOptions {
  /** Shares the port with other isolates. */
  readonly reusePort?: boolean;
  /** Milliseconds until the handshake must be done; 10 s by default. */
  readonly handshakeTimeoutMs?: number;
  /**
   * The most handshakes under way, and the most connections that wait to be accepted; 256 by
   * default. One more handshake cuts the oldest one.
   */
  readonly maxPending?: number;
  /** Listens; `Deno.listen` by default. */
  readonly listen?: (options: Deno.TcpListenOptions) => ConnListener;
  /** Called for each failed handshake. */
  readonly onFailure?: (peer: Address, why: string) => void;
}

/** A connection and its client's address. */
export interface Accepted extends TlsPipe {
  readonly remoteAddr: Deno.NetAddr;
}

export class TlsListener implements Disposable {
  readonly addr: Deno.NetAddr;
  readonly #listener: ConnListener;
  readonly #options: Required<TlsListenOptions>;
  #shown: ServerIdentity;
  #closed = false;
  #taking = false;
  /** Handshakes under way, the oldest first, each with a function that cuts it. */
  readonly #shaking = new Map<Conn, (why: string) => void>();
  readonly #ready: Accepted[] = [];
  readonly #waiting: PromiseWithResolvers<Accepted>[] = [];

  /**
   * @throws {BargeError} `fatal` when the certificate can't be used
   * @throws {Deno.errors.AddrInUse} and others when it can't listen there
   */
  constructor({ host, port }: Address, pair: KeyPair, options: TlsListenOptions = {}) {
    this.#options = {
      reusePort: false,
      handshakeTimeoutMs: 10_000,
      maxPending: 256,
      onFailure: () => {},
      listen: Deno.listen,
      ...options,
    };
    this.#shown = serverIdentity(pair, [alpn]);
    const { reusePort, listen } = this.#options;
    this.#listener = listen({ hostname: host, port, reusePort });
    this.addr = this.#listener.addr;
  }

  /**
   * @returns a connection whose handshake is done
   * @throws {Deno.errors.BadResource} when it is closed
   * @throws {Error} the system's, when it can't accept; the caller may call again
   */
  accept(): Promise<Accepted> {
    if (this.#closed) return Promise.reject(closed());
    if (!this.#taking) void this.#take();
    const pipe = this.#ready.shift();
    if (pipe) return Promise.resolve(pipe);
    const waiting = Promise.withResolvers<Accepted>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /**
   * Uses another certificate for new connections.
   *
   * @throws {BargeError} `fatal` when it can't be used; the old one then stays in use
   */
  reload(pair: KeyPair): void {
    this.#shown = serverIdentity(pair, [alpn]);
  }

  /** Stops listening and cuts handshakes under way, but no accepted connection. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    for (const cut of this.#shaking.values()) cut("the listener is closed");
    for (const pipe of this.#ready.splice(0)) pipe.close();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closed());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Accepts connections until that fails; the error goes to a waiting caller, which tries again later. */
  async #take(): Promise<void> {
    this.#taking = true;
    try {
      while (!this.#closed) void this.#shake(await this.#listener.accept());
    } catch (error) {
      if (!this.#closed) this.#waiting.shift()?.reject(error);
    } finally {
      this.#taking = false;
    }
  }

  async #shake(conn: Conn): Promise<void> {
    const { maxPending, handshakeTimeoutMs, onFailure } = this.#options;
    const [[, cutOldest] = []] = this.#shaking;
    if (this.#shaking.size >= maxPending) cutOldest?.("too many connections wait for a handshake");
    const remoteAddr = conn.remoteAddr as Deno.NetAddr;
    let why: string | undefined;
    const cut = (reason: string) => {
      why ??= reason;
      this.#shaking.delete(conn);
      conn.close();
    };
    const timer = setTimeout(() => cut("handshake timeout"), handshakeTimeoutMs);
    this.#shaking.set(conn, cut);
    try {
      conn.setNoDelay(true);
      const pipe = await acceptTls(conn, this.#shown);
      this.#give(Object.assign(pipe, { remoteAddr }));
    } catch (error) {
      if (why === undefined) conn.close();
      if (this.#closed) return;
      why ??= error instanceof BargeError ? error.message : String(error);
      onFailure({ host: remoteAddr.hostname, port: remoteAddr.port }, why);
    } finally {
      clearTimeout(timer);
      this.#shaking.delete(conn);
    }
  }

  #give(pipe: Accepted): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve(pipe);
    else if (!this.#closed && this.#ready.length < this.#options.maxPending) this.#ready.push(pipe);
    else pipe.close();
  }
}

function closed(): Error {
  return new Deno.errors.BadResource("the listener is closed");
}
