/**
 * The data connection of a session: at most one, made for one transfer.
 *
 *   none -> listening (PASV, EPSV) -> arrived -> opened -> closed
 *       \-> dialing (PORT, EPRT)  /
 *
 * Who asks for another loses the one before. A listener takes the first connection from the control
 * connection's own address and is closed with that: there is one attempt. Others are sent away and
 * use nothing up. It is closed, too, when nobody came for a while. Each has a port chosen at random,
 * of a range that workers and servers share; an account, and an address, may hold a part of that.
 *
 * Others can have the same address (NAT, shared machines). With TLS a data connection has to resume
 * the session of the control connection, which nobody else can; else nothing is sent or taken.
 */
import { randomInt } from "node:crypto";
import { BargeError, typed } from "../../error.ts";
import type { ServerIdentity } from "../../net/accept_tls.ts";
import type { TlsPipe } from "../../net/tls_pipe.ts";
import { type Address, formatAddress } from "../../net/address.ts";
import { RateMeter } from "../../net/min_rate.ts";
import type { Conn, ConnListener } from "../../net/listen_proxied.ts";
import type { Sessions } from "../../net/session_resumption.ts";
import { type Pipe, Stream } from "../../net/stream.ts";
import type { Gate } from "../../watch/gate.ts";
import type { DoorSpec, FtpSpec } from "../door.ts";
import { listenTcp } from "../listen_tcp.ts";
import { plainAddress } from "./address.ts";
import type { Patience } from "./patience.ts";

export interface DataOptions {
  /** Where passive ports are listened on. */
  readonly host: string;
  readonly spec: FtpSpec;
  /** The client's address: nobody else may connect. */
  readonly peer: string;
  readonly patience: Patience;
  /** Those in front of the door: data connections come through them, too. */
  readonly proxies: Pick<DoorSpec, "trustedProxies" | "proxyProtocol">;
  /** The control connection's. */
  readonly sessions: Sessions;
  /** Counts the ports that accounts and addresses hold. */
  readonly gate: Gate;
}

/** An open data connection. */
export interface Data {
  readonly stream: Stream;
  /** Undefined where it is plain. */
  readonly tls: TlsPipe | undefined;
}

type Arrival = Conn | BargeError;

/** How many ports of a range an account, and an address, may listen on at once. */
function portsOfOne(range: number): number {
  return Math.max(1, Math.floor(range / 8));
}

export class DataPort {
  readonly #options: DataOptions;
  #listener: ConnListener | undefined;
  /** Gives the port's place back. */
  #leavePort: () => void = () => {};
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
   * @param account the id of the account that is logged in
   * @returns the port
   * @throws {BargeError} `unavailable` when all ports, or those of one client, are taken
   */
  listen(account: number): number {
    const waiting = this.#listener; // nobody has come yet: it will do again
    if (!waiting) this.close();
    const { addr } = waiting ?? this.#listen(account);
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.close(), this.#options.patience.unused);
    return addr.port;
  }

  #listen(account: number): ConnListener {
    const { gate, peer, spec: { passive: [first, last] } } = this.#options;
    const leave = gate.port(account, peer, portsOfOne(last - first + 1));
    if (!leave) {
      throw new BargeError("unavailable", "this account or address holds too many data ports", {
        hint: "end its transfers, or try again in a minute",
      });
    }
    try {
      const listener = this.#listener = this.#bind();
      this.#leavePort = leave;
      this.#arrival = this.#accept(listener);
      return listener;
    } catch (error) {
      leave();
      throw error;
    }
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
   * @throws {BargeError} `unavailable` when none came in time; `protocol` when TLS failed; `identity`
   *   when it may be somebody else's; the signal's reason
   */
  async open(shown: ServerIdentity | undefined, signal: AbortSignal): Promise<Data> {
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
      stream.rates = { read: new RateMeter(patience.floor), write: new RateMeter(patience.floor) };
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
    this.#stopListening();
    this.#dialing?.abort(new BargeError("interrupted", "the data connection is not wanted"));
    this.#dialing = undefined;
    void this.#arrival?.then((arrived) => {
      if (!(arrived instanceof BargeError)) arrived.close();
    });
    this.#arrival = undefined;
    this.#forget?.(new BargeError("unavailable", "the data connection was given up"));
    this.#forget = undefined;
  }

  #stopListening(): void {
    this.#listener?.close();
    this.#listener = undefined;
    this.#leavePort();
    this.#leavePort = () => {};
  }

  async #secure(stream: Stream, shown: ServerIdentity, signal: AbortSignal): Promise<TlsPipe> {
    const cut = () => stream.close(typed(signal.reason));
    signal.addEventListener("abort", cut, { once: true });
    try {
      const { sessions, spec, patience } = this.#options;
      const shake = (below: Pipe) => sessions.join(below, shown, spec.sessionReuse);
      return await stream.upgrade(shake, patience.handshake);
    } finally {
      signal.removeEventListener("abort", cut);
    }
  }

  #bind(): ConnListener {
    const { host: hostname, spec: { passive: [first, last] }, proxies } = this.#options;
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
          if (this.#listener === listener) this.#stopListening();
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
