/**
 * Accepts TLS connections. What it gives out has shaken hands already; who connects and says
 * nothing keeps nobody waiting, and is cut after a while, or before that when too many such wait.
 * A renewed certificate is shown to who comes then; connections that stand go on as they began.
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
  /** Share the port with other isolates. */
  readonly reusePort?: boolean;
  /** Milliseconds until the handshake must be done; 10 s by default. */
  readonly handshake?: number;
  /**
   * How many connections may wait, for their handshake or to be accepted; 256 by default. Of the
   * former the oldest is cut for one more.
   */
  readonly pending?: number;
  /** Listens; `Deno.listen` by default. */
  readonly listen?: (options: Deno.TcpListenOptions) => ConnListener;
  /** Told whose handshake failed, and why. */
  readonly onFailure?: (peer: Address, why: string) => void;
}

/** A connection, and where it comes from. */
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
  /** Whose handshake is under way, the oldest first. */
  readonly #shaking = new Map<Conn, (why: string) => void>();
  readonly #ready: Accepted[] = [];
  readonly #waiting: PromiseWithResolvers<Accepted>[] = [];

  /**
   * @throws {BargeError} `fatal` when the certificate can't be used
   * @throws {Deno.errors.AddrInUse} and others when it can't listen there
   */
  constructor({ host, port }: Address, pair: KeyPair, given: TlsListenOptions = {}) {
    this.#options = {
      ...{ reusePort: false, handshake: 10_000, pending: 256, onFailure: () => {} },
      listen: Deno.listen,
      ...given,
    };
    this.#shown = serverIdentity(pair, [alpn]);
    const { reusePort, listen } = this.#options;
    this.#listener = listen({ hostname: host, port, reusePort });
    this.addr = this.#listener.addr;
  }

  /**
   * @returns a connection whose handshake is done
   * @throws {Deno.errors.BadResource} when it is closed
   * @throws {Error} the system's, when it can't accept: whoever asks again tries again
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
   * Shows another certificate from here on.
   *
   * @throws {BargeError} `fatal` when it can't be used: then the old one is shown on
   */
  reload(pair: KeyPair): void {
    this.#shown = serverIdentity(pair, [alpn]);
  }

  /** Stops listening; handshakes that are under way are cut, what was given out is not. */
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

  /** Until it can't accept: whoever waits is told then, and knows how long to wait. */
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
    const { pending, handshake, onFailure } = this.#options;
    const [[, cutOldest] = []] = this.#shaking;
    if (this.#shaking.size >= pending) cutOldest?.("too many connections wait for a handshake");
    const remoteAddr = conn.remoteAddr as Deno.NetAddr;
    let why: string | undefined;
    const cut = (reason: string) => {
      why ??= reason;
      this.#shaking.delete(conn);
      conn.close();
    };
    const late = setTimeout(() => cut("handshake timeout"), handshake);
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
      clearTimeout(late);
      this.#shaking.delete(conn);
    }
  }

  #give(pipe: Accepted): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve(pipe);
    else if (!this.#closed && this.#ready.length < this.#options.pending) this.#ready.push(pipe);
    else pipe.close();
  }
}

function closed(): Error {
  return new Deno.errors.BadResource("the listener is closed");
}
