/**
 * The data connection of a session: at most one, made for one transfer.
 *
 *   none -> listening (PASV, EPSV) -> arrived -> opened -> closed
 *       \-> dialing (PORT, EPRT)  /
 *
 * Who asks for another loses the one before. A listener takes the first connection from the control
 * connection's own address, sends all others away, and is closed with that, or when nobody came for
 * a while; ports are tried from a random one on, since workers and servers share the range.
 */
import { randomInt } from "node:crypto";
import { BargeError, typed } from "../../error.ts";
import { acceptTls, type Shown } from "../../net/accept_tls.ts";
import type { TlsPipe } from "../../net/tls_pipe.ts";
import { type Address, formatAddress } from "../../net/address.ts";
import { Pace } from "../../net/pace.ts";
import { Stream } from "../../net/stream.ts";
import type { DoorSpec } from "../door.ts";
import { listenTcp } from "../listen_tcp.ts";
import type { Conn, ConnListener } from "../../net/listen_proxied.ts";
import { plainAddress } from "./address.ts";
import type { Patience } from "./patience.ts";

export interface DataOptions {
  /** Where passive ports are listened on. */
  readonly host: string;
  readonly ports: readonly [first: number, last: number];
  /** The client's address: nobody else may connect. */
  readonly peer: string;
  readonly patience: Patience;
  /** Those in front of the door: data connections come through them, too. */
  readonly proxies: Pick<DoorSpec, "trustedProxies" | "proxyProtocol">;
}

/** An open data connection. */
export interface Data {
  readonly stream: Stream;
  /** Undefined where it is plain. */
  readonly tls: TlsPipe | undefined;
}

type Arrival = Conn | BargeError;

export class DataPort {
  readonly #options: DataOptions;
  #listener: ConnListener | undefined;
  /** The connection that is to come; never rejects. */
  #arrival: Promise<Arrival> | undefined;
  #dialing: AbortController | undefined;
  #expiry: ReturnType<typeof setTimeout> | undefined;
  /** Told when the connection that is waited for is not wanted any more. */
  #forget: ((why: BargeError) => void) | undefined;

  constructor(options: DataOptions) {
    this.#options = options;
  }

  /** Is a connection there, or to come? */
  get ready(): boolean {
    return this.#arrival !== undefined;
  }

  /**
   * Listens for the client.
   *
   * @returns the port
   * @throws {BargeError} `unavailable` when all ports are taken
   */
  listen(): number {
    const there = this.#listener; // nobody has come yet: it will do again
    if (!there) this.close();
    clearTimeout(this.#expiry);
    const listener = this.#listener = there ?? this.#bind();
    this.#arrival ??= this.#accept(listener);
    // Who asks and never comes holds one port of few.
    this.#expiry = setTimeout(() => this.close(), this.#options.patience.unused);
    return listener.addr.port;
  }

  /** Connects to the client; how that went is told by {@link open}. */
  dial(port: number): void {
    this.close();
    const dialing = this.#dialing = new AbortController();
    this.#arrival = this.#connect(port, dialing.signal);
  }

  /**
   * The connection, once it is there: it is nobody else's then.
   *
   * @param shown for TLS; undefined: plain
   * @param signal gives up
   * @throws {BargeError} `unavailable` when none came in time; `protocol` when TLS failed; the
   *   signal's reason
   */
  async open(shown: Shown | undefined, signal: AbortSignal): Promise<Data> {
    signal.throwIfAborted();
    if (!this.#arrival) {
      throw new BargeError("unavailable", "no data connection; ask for one with PASV or EPSV");
    }
    const { patience, peer } = this.#options;
    const forgotten = new Promise<BargeError>((resolve) => this.#forget = resolve);
    const late = () => new BargeError("unavailable", "nobody came to the data connection");
    const timer = setTimeout(() => this.#forget?.(late()), patience.data);
    const abort = () => this.#forget?.(typed(signal.reason));
    signal.addEventListener("abort", abort, { once: true });
    try {
      const arrived = await Promise.race([this.#arrival, forgotten]);
      if (arrived instanceof BargeError) throw arrived;
      this.#arrival = this.#forget = undefined; // it is taken: closing the port does not close it
      const { port } = arrived.remoteAddr as Deno.NetAddr;
      const stream = new Stream(arrived, formatAddress({ host: peer, port }), patience.transfer);
      stream.paces = { read: new Pace(patience.floor), write: new Pace(patience.floor) };
      return { stream, tls: shown && await this.#secure(stream, shown, signal) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      this.close();
    }
  }

  /** Wants no connection any more. */
  close(): void {
    clearTimeout(this.#expiry);
    this.#listener?.close();
    this.#listener = undefined;
    this.#dialing?.abort(new BargeError("interrupted", "the data connection is not wanted"));
    this.#dialing = undefined;
    void this.#arrival?.then((arrived) => {
      if (!(arrived instanceof BargeError)) arrived.close();
    });
    this.#arrival = undefined;
    this.#forget?.(new BargeError("unavailable", "the data connection was given up"));
    this.#forget = undefined;
  }

  async #secure(stream: Stream, shown: Shown, signal: AbortSignal): Promise<TlsPipe> {
    const cut = () => stream.close(typed(signal.reason));
    signal.addEventListener("abort", cut, { once: true });
    try {
      const { handshake } = this.#options.patience;
      return await stream.upgrade((below) => acceptTls(below, shown), handshake);
    } finally {
      signal.removeEventListener("abort", cut);
    }
  }

  #bind(): ConnListener {
    const { host: hostname, ports: [first, last], proxies } = this.#options;
    const count = last - first + 1;
    const start = randomInt(count);
    for (let i = 0; i < count; i++) {
      const port = first + (start + i) % count;
      try {
        return listenTcp({ hostname, port }, proxies);
      } catch (error) {
        if (error instanceof Deno.errors.AddrInUse) continue;
        throw typed(error, { op: "listen on", path: formatAddress({ host: hostname, port }) });
      }
    }
    throw new BargeError("unavailable", "all ports for data connections are in use", {
      hint: "try again in a moment",
    });
  }

  async #accept(listener: ConnListener): Promise<Arrival> {
    try {
      while (true) {
        const conn = await listener.accept();
        if (plainAddress((conn.remoteAddr as Deno.NetAddr).hostname) === this.#options.peer) {
          if (this.#listener === listener) this.#listener = undefined;
          listener.close();
          return conn;
        }
        conn.close();
      }
    } catch (error) {
      return typed(error);
    }
  }

  async #connect(port: number, signal: AbortSignal): Promise<Arrival> {
    const { peer: hostname, patience } = this.#options;
    const within = AbortSignal.any([signal, AbortSignal.timeout(patience.data)]);
    const target: Address = { host: hostname, port };
    try {
      return await Deno.connect({ hostname, port, signal: within });
    } catch {
      return new BargeError("unavailable", `can't connect to ${formatAddress(target)}`);
    }
  }
}
