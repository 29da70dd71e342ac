/**
 * Makes the data connections of a control connection, at most one at a time, one for each transfer.
 *
 *   none -> listening (PASV, EPSV) -> arrived -> opened -> closed
 *       \-> dialing (PORT, EPRT)  /
 *
 * A new request closes the connection before it. A listener accepts the first connection from the
 * client's address, and then closes; connections from other addresses are closed and change nothing.
 * It also closes when no connection comes in time. The port is random, from a range that workers and
 * servers share; one account, and one address, may hold an eighth of it.
 *
 * Other machines can have the client's address (NAT). With TLS a data connection must resume the TLS
 * session of the control connection, which only the client can; otherwise no byte is sent or read.
 */
import { randomInt } from "node:crypto";
import { BargeError, typed } from "../../error.ts";
import type { ServerIdentity } from "../../net/accept_tls.ts";
import type { TlsPipe } from "../../net/tls_pipe.ts";
import { type Address, formatAddress } from "../../net/address.ts";
import { RateMeter } from "../../net/min_rate.ts";
import type { Conn, ConnListener } from "../../net/prepared_listener.ts";
import type { Sessions } from "../../net/session_resumption.ts";
import { type Pipe, Stream } from "../../net/stream.ts";
import type { Gate } from "../../watch/gate.ts";
import type { DoorSpec, FtpSpec } from "../door.ts";
import { listenTcp } from "../listen_tcp.ts";
import { plainAddress } from "./address.ts";
import type { Patience } from "./patience.ts";

export interface DataOptions {
  /** The address to listen on. */
  readonly host: string;
  readonly spec: FtpSpec;
  /** The client's address; only it may connect. */
  readonly peer: string;
  readonly patience: Patience;
  /** The proxies in front of the door; data connections come through them, too. */
  readonly proxies: Pick<DoorSpec, "trustedProxies" | "proxyProtocol">;
  /** The TLS sessions of the control connection. */
  readonly sessions: Sessions;
  /** Counts the ports that accounts and addresses hold. */
  readonly gate: Gate;
}

/** An open data connection. */
export interface Data {
  readonly stream: Stream;
  /** Undefined without TLS. */
  readonly tls: TlsPipe | undefined;
}

type Arrival = Conn | BargeError;

/** Returns the most ports of a range that one account, or one address, may listen on. */
function maxPortsEach(range: number): number {
  return Math.max(1, Math.floor(range / 8));
}

export class DataPort {
  readonly #options: DataOptions;
  #listener: ConnListener | undefined;
  /** Releases the port in the gate's count. */
  #leavePort: () => void = () => {};
  /** The connection that is expected; never rejects. */
  #arrival: Promise<Arrival> | undefined;
  #dialing: AbortController | undefined;
  #expiry: ReturnType<typeof setTimeout> | undefined;
  /** Ends the wait for the connection with a failure. */
  #forget: ((why: BargeError) => void) | undefined;

  constructor(options: DataOptions) {
    this.#options = options;
  }

  /** True when a connection is expected or has come. */
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
    const waiting = this.#listener; // without a connection yet: it is used again
    if (!waiting) this.close();
    const { addr } = waiting ?? this.#listen(account);
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.close(), this.#options.patience.unused);
    return addr.port;
  }

  #listen(account: number): ConnListener {
    const { gate, peer, spec: { passive: [first, last] } } = this.#options;
    const leave = gate.port(account, peer, maxPortsEach(last - first + 1));
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

  /** Begins to connect to the client; {@link open} throws the failure. */
  dial(port: number): void {
    this.close();
    const dialing = this.#dialing = new AbortController();
    this.#arrival = this.#connect(port, dialing.signal);
  }

  /**
   * Waits for the connection. The caller must close it.
   *
   * @param shown the certificate for TLS; undefined for no TLS
   * @param signal ends the wait
   * @throws {BargeError} `unavailable` when none came in time; `protocol` when TLS failed; `identity`
   *   when it does not resume the TLS session; the signal's reason
   */
  async open(shown: ServerIdentity | undefined, signal: AbortSignal): Promise<Data> {
    signal.throwIfAborted();
    if (!this.#arrival) {
      throw new BargeError("unavailable", "no data connection; ask for one with PASV or EPSV");
    }
    const { patience, peer } = this.#options;
    const forgotten = new Promise<BargeError>((resolve) => this.#forget = resolve);
    const late = () => new BargeError("unavailable", "the client did not connect in time");
    const timer = setTimeout(() => this.#forget?.(late()), patience.data);
    const abort = () => this.#forget?.(typed(signal.reason));
    signal.addEventListener("abort", abort, { once: true });
    try {
      const arrived = await Promise.race([this.#arrival, forgotten]);
      if (arrived instanceof BargeError) throw arrived;
      this.#arrival = this.#forget = undefined; // closing the port must not close it from here on
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

  /** Closes the listener and the connection that no transfer has taken. */
  close(): void {
    clearTimeout(this.#expiry);
    this.#stopListening();
    this.#dialing?.abort(new BargeError("interrupted", "the data connection is no longer needed"));
    this.#dialing = undefined;
    void this.#arrival?.then((arrived) => {
      if (!(arrived instanceof BargeError)) arrived.close();
    });
    this.#arrival = undefined;
    this.#forget?.(new BargeError("unavailable", "the data connection was closed"));
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
    const ending = AbortSignal.any([signal, AbortSignal.timeout(patience.data)]);
    const target: Address = { host: hostname, port };
    try {
      return await Deno.connect({ hostname, port, signal: ending });
    } catch {
      return new BargeError("unavailable", `can't connect to ${formatAddress(target)}`);
    }
  }
}
