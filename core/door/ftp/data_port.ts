/**
 * Makes the data connections of a control connection, at most one at a time, one for each transfer.
 *
 *   none -> listening (PASV, EPSV) -> arrived -> opened -> closed
 *       \-> dialing (PORT, EPRT)  /
 *
 * A new PASV, EPSV, PORT or EPRT closes the listener or connection of the command before. A listener closes
 * after the first connection from the client's address, or when none comes in time; connections from other
 * addresses are closed. The port is random, from a range that workers and servers share.
 *
 * Other machines can have the client's address (NAT). With TLS a data connection must resume the TLS
 * session of the control connection, which only the client can; otherwise no byte is sent or read.
 */
import { randomInt } from "node:crypto";
import { BargeError, typed } from "../../error.ts";
import type { ServerIdentity } from "../../net/accept_tls.ts";
import type { TlsPipe } from "../../net/tls_pipe.ts";
import { bareAddress } from "../../net/address.ts";
import { formatAddress } from "../../net/address.ts";
import { RateMeter } from "../../net/min_rate.ts";
import type { Conn, ConnListener } from "../../net/prepared_listener.ts";
import type { Sessions } from "../../net/session_resumption.ts";
import { type Pipe, Stream } from "../../net/stream.ts";
import type { Gate } from "../../watch/gate.ts";
import { listenTcp } from "../listen_tcp.ts";
import type { Host } from "./host.ts";

/** An open data connection. */
export interface Data {
  readonly stream: Stream;
  /** Undefined without TLS. */
  readonly tls: TlsPipe | undefined;
}

type Arrival = Conn | BargeError;

/** An account may listen on at most an eighth of the ports, and so may an address. */
const portsDivisor = 8;
/** Shared by all transfers, because an error with its own stack trace costs 10 us. */
const closed = new BargeError("unavailable", "the data connection was closed");

export class DataPort {
  readonly #door: Host;
  readonly #gate: Gate;
  readonly #peer: string;
  readonly #sessions: Sessions;
  #listener: ConnListener | undefined;
  /** Releases the port in the gate's count. */
  #leavePort: () => void = () => {};
  /** The connection that is expected; never rejects. */
  #arrival: Promise<Arrival> | undefined;
  /** Ends a wait for the connection. */
  #giveUp: (reason: BargeError) => void = () => {};
  /** Ends the dialing of a connection. */
  #dialing: AbortController | undefined;
  #expiry: ReturnType<typeof setTimeout> | undefined;

  /** @param peer the client's address; only connections from it are accepted */
  constructor(door: Host, gate: Gate, peer: string, sessions: Sessions) {
    this.#door = door;
    this.#gate = gate;
    this.#peer = peer;
    this.#sessions = sessions;
  }

  /** True when a connection is expected or has come. */
  get ready(): boolean {
    return this.#arrival !== undefined;
  }

  /**
   * Listens for the client.
   *
   * @returns the port
   * @throws {BargeError} `unavailable` when all ports, or the ports of the account or address, are taken
   */
  listen(account: number): number {
    // A listener to which no client has connected is used again.
    const { addr } = this.#listener ?? this.#listen(account);
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.close(), this.#door.timeouts.unused);
    return addr.port;
  }

  #listen(account: number): ConnListener {
    this.close();
    const [first, last] = this.#door.spec.ftp.passive;
    const maxPorts = Math.max(1, Math.floor((last - first + 1) / portsDivisor));
    const leave = this.#gate.port(account, this.#peer, maxPorts);
    if (!leave) {
      const hint = "end its transfers, or try again in a minute";
      throw new BargeError("unavailable", "this account or address holds too many data ports", {
        hint,
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
    this.#dialing = new AbortController();
    this.#arrival = this.#connect(port, this.#dialing.signal);
  }

  /**
   * Waits for the connection. The caller must close it.
   *
   * @param signal ends the wait
   * @throws {BargeError} `unavailable` when none came in time; the signal's reason
   */
  async open(signal: AbortSignal): Promise<Stream> {
    signal.throwIfAborted();
    if (!this.#arrival) {
      throw new BargeError("unavailable", "no data connection; request one with PASV or EPSV");
    }
    const { timeouts } = this.#door;
    const { promise: givenUp, resolve } = Promise.withResolvers<BargeError>();
    this.#giveUp = resolve;
    const abort = () => resolve(closed);
    signal.addEventListener("abort", abort);
    const timer = setTimeout(
      () => resolve(new BargeError("unavailable", "the client did not connect in time")),
      timeouts.data,
    );
    try {
      const arrived = await Promise.race([this.#arrival, givenUp]);
      signal.throwIfAborted();
      if (arrived instanceof BargeError) throw arrived;
      this.#arrival = undefined; // close() must not close it from here on
      const { port } = arrived.remoteAddr as Deno.NetAddr;
      const peer = formatAddress({ host: this.#peer, port });
      const stream = new Stream(arrived, peer, timeouts.transfer);
      stream.rates = { read: new RateMeter(timeouts.floor), write: new RateMeter(timeouts.floor) };
      return stream;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      this.close();
    }
  }

  /**
   * Begins TLS on an open connection.
   *
   * @throws {BargeError} `protocol` when TLS failed; `identity` when the client does not resume the TLS
   *   session of its control connection
   */
  async secure(stream: Stream, certificate: ServerIdentity): Promise<TlsPipe> {
    const { spec, timeouts } = this.#door;
    const shake = (below: Pipe) => this.#sessions.join(below, certificate, spec.ftp.sessionReuse);
    return await stream.upgrade(shake, timeouts.handshake);
  }

  /** Closes the listener and the connection that no transfer has taken. */
  close(): void {
    clearTimeout(this.#expiry);
    this.#stopListening();
    void this.#arrival?.then((arrived) => {
      if (!(arrived instanceof BargeError)) arrived.close();
    });
    this.#arrival = undefined;
    this.#giveUp(closed);
    this.#dialing?.abort(closed);
    this.#dialing = undefined;
  }

  #stopListening(): void {
    this.#listener?.close();
    this.#listener = undefined;
    this.#leavePort();
    this.#leavePort = () => {};
  }

  #bind(): ConnListener {
    const { spec } = this.#door;
    const { address: { host: hostname }, ftp: { passive: [first, last] } } = spec;
    const count = last - first + 1;
    const start = randomInt(count);
    for (let i = 0; i < count; i++) {
      const port = first + (start + i) % count;
      try {
        return listenTcp({ hostname, port }, spec);
      } catch (error) {
        if (error instanceof Deno.errors.AddrInUse) continue;
        throw typed(error, { op: "listen on", path: formatAddress({ host: hostname, port }) });
      }
    }
    const hint = "try again in a moment";
    throw new BargeError("unavailable", "all ports for data connections are in use", { hint });
  }

  async #accept(listener: ConnListener): Promise<Arrival> {
    try {
      while (true) {
        const conn = await listener.accept();
        if (bareAddress((conn.remoteAddr as Deno.NetAddr).hostname) === this.#peer) {
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
    const ending = AbortSignal.any([signal, AbortSignal.timeout(this.#door.timeouts.data)]);
    try {
      return await Deno.connect({ hostname: this.#peer, port, signal: ending });
    } catch {
      const target = formatAddress({ host: this.#peer, port });
      return new BargeError("unavailable", `can't connect to ${target}`);
    }
  }
}
