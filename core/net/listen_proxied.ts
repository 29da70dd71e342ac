/**
 * Accepts connections that trusted proxies pass on by the PROXY protocol. A connection is returned
 * once its header has arrived, under the address of the client that the header names.
 *
 * Invariants: a trusted peer must send a header, of bounded size and in time; the header of any other
 * peer is refused.
 */
import { Buffer } from "node:buffer";
import { BargeError } from "../error.ts";
import type { Address } from "./address.ts";
import { isNameable, type Networks } from "./networks.ts";
import { PipeOver } from "./pipe_over.ts";
import { type Conn, type ConnListener, PreparedListener } from "./prepared_listener.ts";
import { begins, marks, maxMarkBytes, parseProxyHeader, type ProxyHeader } from "./proxy_header.ts";

const headerTimeoutMs = 5_000;
const maxPending = 256;

interface ProxiedOptions {
  readonly trusted: Networks;
  /** Milliseconds until a header must be there; 5 s by default. */
  readonly timeoutMs?: number;
  /** Called for each trusted peer without a valid header. */
  readonly onFailure: (peer: Address, why: string) => void;
}

export class ProxiedListener extends PreparedListener<Conn> {
  readonly #trusted: Networks;

  constructor(
    listener: ConnListener,
    { trusted, timeoutMs = headerTimeoutMs, onFailure }: ProxiedOptions,
  ) {
    const late = `no PROXY header: it did not come in ${timeoutMs / 1000} s`;
    const full = "no PROXY header: too many connections wait for theirs";
    super(listener, { timeoutMs, maxPending, late, full, onFailure });
    this.#trusted = trusted;
  }

  protected override prepare(conn: Conn): Conn | Promise<Conn> {
    const { hostname } = conn.remoteAddr as Deno.NetAddr;
    return this.#trusted.has(hostname) ? readHeader(conn) : new DirectConn(conn);
  }
}

/** Reads the header of a connection. @throws {BargeError} `protocol` for one without a valid header */
async function readHeader(conn: Conn): Promise<ProxiedConn> {
  let bytes = Buffer.alloc(0);
  const piece = new Uint8Array(4096);
  let header: ProxyHeader | undefined;
  while (!header) {
    const n = await conn.read(piece);
    if (n === null) throw new BargeError("protocol", "no PROXY header: the connection ended");
    bytes = Buffer.concat([bytes, piece.subarray(0, n)]);
    header = parseProxyHeader(bytes);
  }
  return new ProxiedConn(conn, header, bytes.subarray(header.length));
}

abstract class Accepted extends PipeOver<Conn> implements Conn {
  readonly remoteAddr: Deno.Addr;
  readonly localAddr: Deno.Addr;

  constructor(conn: Conn, remoteAddr = conn.remoteAddr, localAddr = conn.localAddr) {
    super(conn);
    this.remoteAddr = remoteAddr;
    this.localAddr = localAddr;
  }

  setNoDelay(noDelay = true): void {
    this.below.setNoDelay(noDelay);
  }
}

/** A proxy's connection. Bytes of the client may have been read with the header. */
class ProxiedConn extends Accepted {
  #rest: Uint8Array;

  constructor(conn: Conn, { ends }: ProxyHeader, rest: Uint8Array) {
    const proxy = (conn.remoteAddr as Deno.NetAddr).hostname;
    const source = ends && isNameable(ends.source.host, proxy) ? netAddr(ends.source) : undefined;
    super(conn, source, ends && netAddr(ends.destination));
    this.#rest = rest;
  }

  override read(into: Uint8Array): Promise<number | null> {
    if (this.#rest.length === 0) return super.read(into);
    const n = Math.min(into.length, this.#rest.length);
    into.set(this.#rest.subarray(0, n));
    this.#rest = this.#rest.subarray(n);
    return Promise.resolve(n);
  }
}

/** The connection of a peer that may not send a header: its first bytes are checked. */
class DirectConn extends Accepted {
  /** The bytes so far, while they may be the start of a header; undefined once they can't be. */
  #start: Uint8Array | undefined = new Uint8Array(0);

  override async read(into: Uint8Array): Promise<number | null> {
    const n = await super.read(into);
    if (!this.#start || !n) return n;
    this.#start = Uint8Array.of(...this.#start, ...into.subarray(0, Math.min(n, maxMarkBytes)));
    const mark = marks.find((mark) => begins(this.#start!, mark));
    if (mark && this.#start.length >= mark.length) {
      throw new BargeError("protocol", "a PROXY header from an address that is not trusted");
    }
    if (!mark) this.#start = undefined;
    return n;
  }
}

function netAddr({ host: hostname, port }: Address): Deno.NetAddr {
  return { transport: "tcp", hostname, port };
}
