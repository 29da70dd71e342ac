/**
 * A listener that returns each connection once it is prepared: after its TLS handshake
 * (listen_tls.ts), or its PROXY header (listen_proxied.ts).
 *
 *   accepted -> (prepared) -> ready -> returned
 *           \-> (failed, too late, or replaced by a newer one) -> closed
 *
 * Preparations run at the same time, each with a timeout. At most `maxPending` connections are in
 * preparation, and at most as many are ready. Beyond that, a new connection closes the oldest one in
 * preparation, and a connection that becomes ready is closed.
 */
import { BargeError } from "../error.ts";
import type { Address } from "./address.ts";
import type { Pipe } from "./stream.ts";

/** A listener's connections, as the doors use them. */
export interface Conn extends Pipe {
  readonly remoteAddr: Deno.Addr;
  readonly localAddr: Deno.Addr;
  setNoDelay(noDelay?: boolean): void;
}

/** A listener on TCP or at a descriptor, or one that reads PROXY headers first. */
export interface ConnListener {
  readonly addr: Deno.NetAddr;
  accept(): Promise<Conn>;
  close(): void;
}

export interface PrepareOptions {
  /** Milliseconds until a connection must be prepared. */
  readonly timeoutMs: number;
  readonly maxPending: number;
  /** The reasons for cutting a connection, as `onFailure` gets them. */
  readonly late: string;
  readonly full: string;
  /** Called for each connection that could not be prepared. */
  readonly onFailure: (peer: Address, why: string) => void;
}

export abstract class PreparedListener<Prepared extends { close(): void }> {
  readonly addr: Deno.NetAddr;
  readonly #listener: ConnListener;
  readonly #options: PrepareOptions;
  /** Preparations under way, the oldest first, each with a function that cuts it. */
  readonly #pending = new Map<Conn, (why: string) => void>();
  readonly #ready: Prepared[] = [];
  readonly #waiting: PromiseWithResolvers<Prepared>[] = [];
  #taking = false;
  #closed = false;

  /** @param listener closed with this one */
  constructor(listener: ConnListener, options: PrepareOptions) {
    this.#listener = listener;
    this.#options = options;
    this.addr = listener.addr;
  }

  /** Prepares a connection, at once or in time. A failure closes it. */
  protected abstract prepare(conn: Conn): Prepared | Promise<Prepared>;

  /**
   * Waits for a prepared connection.
   *
   * @throws {Deno.errors.BadResource} when the listener is closed
   * @throws {Error} the system's error when it can't accept a connection; the caller may call this again
   */
  accept(): Promise<Prepared> {
    if (this.#closed) return Promise.reject(closed());
    if (!this.#taking) void this.#take();
    const ready = this.#ready.shift();
    if (ready) return Promise.resolve(ready);
    const waiting = Promise.withResolvers<Prepared>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** Stops listening, and cuts connections that were not returned. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    for (const cut of this.#pending.values()) cut("the listener is closed");
    for (const ready of this.#ready.splice(0)) ready.close();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closed());
  }

  /** Accepts connections until that fails; a waiting caller gets the error. */
  async #take(): Promise<void> {
    this.#taking = true;
    try {
      while (!this.#closed) {
        const conn = await this.#listener.accept();
        const prepared = this.prepare(conn);
        if (prepared instanceof Promise) void this.#wait(conn, prepared);
        else this.#give(prepared);
      }
    } catch (error) {
      if (!this.#closed) this.#waiting.shift()?.reject(error);
    } finally {
      this.#taking = false;
    }
  }

  /** Waits until a connection is prepared, or cuts it. Never throws. */
  async #wait(conn: Conn, prepared: Promise<Prepared>): Promise<void> {
    const { timeoutMs, maxPending, late, full, onFailure } = this.#options;
    const [[, cutOldest] = []] = this.#pending;
    if (this.#pending.size >= maxPending) cutOldest?.(full);
    let why: string | undefined;
    const cut = (reason: string) => {
      why ??= reason;
      this.#pending.delete(conn);
      conn.close();
    };
    const timer = setTimeout(() => cut(late), timeoutMs);
    this.#pending.set(conn, cut);
    try {
      const ready = await prepared;
      if (why !== undefined) throw new Error(why);
      this.#give(ready);
    } catch (error) {
      if (why === undefined) conn.close();
      if (this.#closed) return;
      why ??= error instanceof BargeError ? error.message : String(error);
      const { hostname: host, port } = conn.remoteAddr as Deno.NetAddr;
      onFailure({ host, port }, why);
    } finally {
      clearTimeout(timer);
      this.#pending.delete(conn);
    }
  }

  #give(prepared: Prepared): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve(prepared);
    else if (!this.#closed && this.#ready.length < this.#options.maxPending) {
      this.#ready.push(prepared);
    } else prepared.close();
  }
}

function closed(): Error {
  return new Deno.errors.BadResource("the listener is closed");
}
