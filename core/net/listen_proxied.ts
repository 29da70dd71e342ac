/**
 * Accepts connections that trusted proxies pass on by the PROXY protocol. A connection is given out
 * once its header has come, under the address of the client that the header names.
 *
 *   accepted -> (trusted: header -> client's address) -> given out
 *           \-> (not trusted: own address, and never a header) /
 *
 * Invariants: only a trusted peer is believed, and a trusted peer has to send a header; a header has
 * `headerTimeoutMs` to come and a bounded size; at most `maxPending` connections wait for theirs, and
 * the oldest is cut for one more.
 */
import { BargeError } from "../error.ts";
import type { Address } from "./address.ts";
import { isNameable, type Networks } from "./networks.ts";
import { parseProxyHeader, type ProxyHeader, signature, word } from "./proxy_header.ts";
import type { Pipe } from "./stream.ts";

const headerTimeoutMs = 5_000;
const maxPending = 256;

/** A listener's connections, as the doors use them. */
export interface Conn extends Pipe {
  readonly remoteAddr: Deno.Addr;
  readonly localAddr: Deno.Addr;
  setNoDelay(noDelay?: boolean): void;
}

/** A TCP listener, or one that reads PROXY headers first. */
export interface ConnListener {
  readonly addr: Deno.NetAddr;
  accept(): Promise<Conn>;
  close(): void;
}

export interface ProxiedOptions {
  readonly trusted: Networks;
  /** Milliseconds until a header must be there; 5 s by default. */
  readonly timeoutMs?: number;
  /** Called for each trusted peer without a valid header. */
  readonly onFailure: (peer: Address, why: string) => void;
}

export class ProxiedListener implements ConnListener {
  readonly addr: Deno.NetAddr;
  readonly #listener: Deno.TcpListener;
  readonly #options: ProxiedOptions;
  readonly #pending = new Map<Deno.TcpConn, (why: string) => void>();
  readonly #ready: Conn[] = [];
  readonly #waiting: PromiseWithResolvers<Conn>[] = [];
  #taking = false;
  #closed = false;

  /** @param listener taken over */
  constructor(listener: Deno.TcpListener, options: ProxiedOptions) {
    this.#listener = listener;
    this.#options = options;
    this.addr = listener.addr;
  }

  /**
   * @returns a connection, under its client's address
   * @throws {Deno.errors.BadResource} when it is closed
   * @throws {Error} the system's, when it can't accept: the caller tries again
   */
  accept(): Promise<Conn> {
    if (this.#closed) return Promise.reject(closed());
    if (!this.#taking) void this.#take();
    const conn = this.#ready.shift();
    if (conn) return Promise.resolve(conn);
    const waiting = Promise.withResolvers<Conn>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** Stops listening, and cuts connections that were not given out. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    for (const cut of this.#pending.values()) cut("the listener is closed");
    for (const conn of this.#ready.splice(0)) conn.close();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closed());
  }

  async #take(): Promise<void> {
    this.#taking = true;
    try {
      while (!this.#closed) {
        const conn = await this.#listener.accept();
        const { hostname } = conn.remoteAddr as Deno.NetAddr;
        if (this.#options.trusted.has(hostname)) void this.#pass(conn);
        else this.#give(new Direct(conn));
      }
    } catch (error) {
      if (!this.#closed) this.#waiting.shift()?.reject(error);
    } finally {
      this.#taking = false;
    }
  }

  /** Gives a proxy's connection out once its header is there. Never throws. */
  async #pass(conn: Deno.TcpConn): Promise<void> {
    const { timeoutMs = headerTimeoutMs, onFailure } = this.#options;
    const [[, cutOldest] = []] = this.#pending;
    if (this.#pending.size >= maxPending) cutOldest?.("too many connections wait for theirs");
    let why: string | undefined;
    const cut = (reason: string) => {
      why ??= `no PROXY header: ${reason}`;
      this.#pending.delete(conn);
      conn.close();
    };
    const late = setTimeout(() => cut(`it did not come in ${timeoutMs / 1000} s`), timeoutMs);
    this.#pending.set(conn, cut);
    try {
      const passed = await readHeader(conn);
      if (why === undefined) this.#give(passed);
    } catch (error) {
      if (why === undefined) conn.close();
      if (this.#closed) return;
      const { hostname: host, port } = conn.remoteAddr as Deno.NetAddr;
      onFailure({ host, port }, why ?? (error instanceof BargeError ? error.message : `${error}`));
    } finally {
      clearTimeout(late);
      this.#pending.delete(conn);
    }
  }

  #give(conn: Conn): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve(conn);
    else if (!this.#closed && this.#ready.length < maxPending) this.#ready.push(conn);
    else conn.close();
  }
}

/** @throws {BargeError} `protocol` for a connection that begins otherwise */
async function readHeader(conn: Deno.TcpConn): Promise<Passed> {
  let bytes = new Uint8Array(0);
  const piece = new Uint8Array(4096);
  let header: ProxyHeader | undefined;
  while (!header) {
    const n = await conn.read(piece);
    if (n === null) throw new BargeError("protocol", "no PROXY header: the connection ended");
    const longer = new Uint8Array(bytes.length + n);
    longer.set(bytes);
    longer.set(piece.subarray(0, n), bytes.length);
    header = parseProxyHeader(bytes = longer);
  }
  return new Passed(conn, header, bytes.subarray(header.length));
}

/** A TCP connection whose first bytes are looked at, or were. */
abstract class Accepted implements Conn {
  readonly remoteAddr: Deno.Addr;
  readonly localAddr: Deno.Addr;
  protected readonly conn: Deno.TcpConn;

  constructor(conn: Deno.TcpConn, remoteAddr: Deno.Addr, localAddr: Deno.Addr) {
    this.conn = conn;
    this.remoteAddr = remoteAddr;
    this.localAddr = localAddr;
  }

  abstract read(into: Uint8Array): Promise<number | null>;

  write(bytes: Uint8Array): Promise<number> {
    return this.conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.conn.closeWrite();
  }

  setNoDelay(noDelay = true): void {
    this.conn.setNoDelay(noDelay);
  }

  close(): void {
    this.conn.close();
  }
}

/** A connection on which the client's first bytes may have been read with the header. */
class Passed extends Accepted {
  #rest: Uint8Array;

  constructor(conn: Deno.TcpConn, { ends }: ProxyHeader, rest: Uint8Array) {
    const proxy = (conn.remoteAddr as Deno.NetAddr).hostname;
    const named = ends && isNameable(ends.source.host, proxy);
    super(
      conn,
      named ? netAddr(ends.source) : conn.remoteAddr,
      ends ? netAddr(ends.destination) : conn.localAddr,
    );
    this.#rest = rest;
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.#rest.length === 0) return this.conn.read(into);
    const n = Math.min(into.length, this.#rest.length);
    into.set(this.#rest.subarray(0, n));
    this.#rest = this.#rest.subarray(n);
    return Promise.resolve(n);
  }
}

/** A connection of a peer that may not send a header: one that does is refused at its first bytes. */
class Direct extends Accepted {
  /** The bytes that have matched the beginning of a header; undefined: it is none. */
  #matched: number | undefined = 0;
  #mark = word;

  constructor(conn: Deno.TcpConn) {
    super(conn, conn.remoteAddr, conn.localAddr);
  }

  async read(into: Uint8Array): Promise<number | null> {
    const n = await this.conn.read(into);
    if (this.#matched !== undefined && n) this.#look(into.subarray(0, n));
    return n;
  }

  #look(bytes: Uint8Array): void {
    if (this.#matched === 0 && bytes[0] === signature[0]) this.#mark = signature;
    for (const byte of bytes) {
      if (byte !== this.#mark[this.#matched!]) return void (this.#matched = undefined);
      if (++this.#matched! < this.#mark.length) continue;
      throw new BargeError("protocol", "a PROXY header from an address that is not trusted");
    }
  }
}

function netAddr({ host: hostname, port }: Address): Deno.NetAddr {
  return { transport: "tcp", hostname, port };
}

function closed(): Error {
  return new Deno.errors.BadResource("the listener is closed");
}
