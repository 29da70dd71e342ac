/**
 * An echo server over TCP: what comes goes back, in upper case (upper.ts) or as it is (RFC 862).
 *
 * A connection:
 *
 *   reading -> writing -> standing back (core/net/turns.ts) -> reading
 *         \-> closed: by its peer, by an error, when nothing moved on it for too long, or by stop()
 *
 * Invariants: a connection is read only when all that came before has been written, so that a client
 * that does not read is not read from; it holds 1 KiB, and 64 KiB more while what it sends fills that,
 * as long as fewer than {@link largest} others do. At most `maxConnections` are open, counted over all
 * workers by `seats`; who comes beyond is closed at once and counted.
 */
import { type BargeError, typed } from "../error.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { KeyPair } from "../net/certificate.ts";
import { TlsDoor } from "../net/listen_tls.ts";
import type { Pipe } from "../net/stream.ts";
import { Turns } from "../net/turns.ts";
import { type Counters, nothing, type Traffic } from "./counters.ts";
import { upper } from "./upper.ts";

const small = 1024;
const large = 64 * 1024;
/** So many connections may have a large buffer at once: 16 MiB. */
const largest = 256;
/** After a failed accept (no descriptor is left) the next one is tried so many ms later. */
const pause = 50;
const sweepEvery = 1000;

/** A connection that ended, and why. */
export interface Ended extends Traffic {
  readonly peer: string;
  readonly seconds: number;
  /** `closed` by its peer, `reset` or another error, `idle`, `stopped`. */
  readonly why: string;
}

export interface EchoOptions {
  readonly raw: boolean;
  /** Share the port with other workers. */
  readonly reusePort: boolean;
  readonly tls: KeyPair | undefined;
  /** How many connections may be open; 0: any number. */
  readonly maxConnections: number;
  /** Milliseconds that nothing may move on a connection; 0: for ever. */
  readonly idle: number;
  /** One number, shared by all workers: how many connections are open. */
  readonly seats: Int32Array;
  readonly onOpen?: (peer: string) => void;
  readonly onEnd?: (ended: Ended) => void;
  /** Told when a connection can't be accepted; the server goes on. */
  readonly onTrouble?: (error: BargeError) => void;
}

type Listener = TlsDoor | Deno.TcpListener;
type Accepted = Pipe & { readonly remoteAddr: Deno.Addr };

export class EchoTcp {
  readonly address: Address;
  readonly #listener: Listener;
  readonly #options: EchoOptions;
  readonly #open = new Set<Connection>();
  readonly #turns = new Turns<Connection>((connection) => connection.read());
  readonly #counts = { accepted: 0, refused: 0, idle: 0, received: 0, sent: 0 };
  readonly #sweeper: ReturnType<typeof setInterval>;
  readonly #accepting: Promise<void>;
  #stopped = false;

  private constructor(listener: Listener, host: string, options: EchoOptions) {
    this.#listener = listener;
    this.#options = options;
    this.address = { host, port: listener.addr.port };
    this.#sweeper = setInterval(() => this.#sweep(), sweepEvery);
    this.#accepting = this.#accept();
  }

  /** @throws {BargeError} when it can't listen there, or the certificate can't be used */
  static async listen(address: Address, options: EchoOptions): Promise<EchoTcp> {
    const { host: hostname, port } = address;
    const { tls, reusePort } = options;
    try {
      // The system's limit of connections that wait to be accepted holds: 511 are too few for 10,000
      // clients that come at once.
      const listener = tls
        ? await TlsDoor.listen(address, tls, { reusePort, pending: 4096 })
        : Deno.listen({ hostname, port, reusePort, tcpBacklog: 4096 });
      return new EchoTcp(listener, hostname, options);
    } catch (cause) {
      throw typed(cause, { op: "listen on", path: formatAddress(address) });
    }
  }

  /** What was counted so far. */
  get counters(): Counters {
    const total = { ...nothing, ...this.#counts, open: this.#open.size };
    for (const { received, sent } of this.#open) {
      total.received += received;
      total.sent += sent;
    }
    return total;
  }

  /** What each open connection has moved. */
  get connections(): (Traffic & { readonly peer: string })[] {
    return Array.from(this.#open, ({ peer, received, sent }) => ({ peer, received, sent }));
  }

  /** Stops listening, and cuts what is open. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#sweeper);
    this.#listener.close();
    for (const connection of this.#open) connection.end("stopped");
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    while (!this.#stopped) {
      try {
        this.#take(await this.#listener.accept());
      } catch (cause) {
        if (this.#stopped || cause instanceof Deno.errors.BadResource) return;
        this.#options.onTrouble?.(typed(cause, { op: "accept a connection" }));
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  #take(pipe: Accepted): void {
    const { maxConnections, seats, raw } = this.#options;
    const before = Atomics.add(seats, 0, 1);
    const room = maxConnections === 0 || before < maxConnections;
    const peer = room ? peerOf(pipe) : undefined;
    if (peer === undefined) {
      Atomics.sub(seats, 0, 1);
      if (!room) this.#counts.refused++;
      pipe.close();
      return;
    }
    this.#counts.accepted++;
    this.#options.onOpen?.(peer);
    const connection = new Connection(pipe, peer, raw, this.#turns, (why) => {
      this.#open.delete(connection);
      Atomics.sub(seats, 0, 1);
      if (why === "idle") this.#counts.idle++;
      const { received, sent, began } = connection;
      this.#counts.received += received;
      this.#counts.sent += sent;
      const seconds = Math.round(performance.now() - began) / 1000;
      this.#options.onEnd?.({ peer, received, sent, seconds, why });
    });
    this.#open.add(connection);
    connection.read();
  }

  #sweep(): void {
    const { idle } = this.#options;
    if (idle === 0) return;
    const now = performance.now();
    for (const connection of this.#open) {
      if (connection.still(now) > idle) connection.end("idle");
    }
  }
}

/** How many have a large buffer. */
let lent = 0;

class Connection {
  received = 0;
  sent = 0;
  readonly began = performance.now();
  readonly peer: string;
  readonly #pipe: Pipe;
  readonly #raw: boolean;
  readonly #turns: Turns<Connection>;
  readonly #onEnd: (why: string) => void;
  readonly #small = new Uint8Array(small);
  #buffer = this.#small;
  /** The part of the buffer that is written; kept, since most messages are as long as the last. */
  #answer = this.#buffer;
  #written = 0;
  #over = false;
  /** What had moved when it was last looked at, and when that was first seen. */
  #seen = 0;
  #since = this.began;

  constructor(
    pipe: Pipe,
    peer: string,
    raw: boolean,
    turns: Turns<Connection>,
    onEnd: (why: string) => void,
  ) {
    this.#pipe = pipe;
    this.peer = peer;
    this.#raw = raw;
    this.#turns = turns;
    this.#onEnd = onEnd;
  }

  read(): void {
    if (!this.#over) this.#pipe.read(this.#buffer).then(this.#got, this.#failed);
  }

  /** Milliseconds since something moved, as far as it was looked at. */
  still(now: number): number {
    if (this.received + this.sent !== this.#seen) {
      this.#seen = this.received + this.sent;
      this.#since = now;
    }
    return now - this.#since;
  }

  end(why: string): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#buffer !== this.#small) lent--;
    this.#pipe.close();
    this.#onEnd(why);
  }

  readonly #got = (n: number | null): void => {
    if (this.#over) return;
    if (n === null) return this.end("closed");
    this.received += n;
    if (!this.#raw) upper(this.#buffer, n);
    if (this.#answer.length !== n) this.#answer = this.#buffer.subarray(0, n);
    this.#written = 0;
    this.#pipe.write(this.#answer).then(this.#wrote, this.#failed);
  };

  readonly #wrote = (n: number): void => {
    if (this.#over) return;
    this.sent += n;
    this.#written += n;
    const length = this.#answer.length;
    if (this.#written < length) {
      const rest = this.#answer.subarray(this.#written);
      this.#pipe.write(rest).then(this.#wrote, this.#failed);
      return;
    }
    this.#fit(length);
    this.#turns.served(this);
  };

  readonly #failed = (cause: unknown): void => {
    if (!this.#over) this.end(reason(cause));
  };

  /** Takes a large buffer when the small one was filled, and gives it back when that would do. */
  #fit(length: number): void {
    const isSmall = this.#buffer === this.#small;
    if (isSmall && length === small && lent < largest) {
      lent++;
      this.#buffer = new Uint8Array(large);
    } else if (!isSmall && length <= small) {
      lent--;
      this.#buffer = this.#small;
    } else return;
    this.#answer = this.#buffer;
  }
}

function reason(cause: unknown): string {
  const { code } = cause as { code?: unknown };
  if (cause instanceof Deno.errors.ConnectionReset || code === "ECONNRESET") return "reset";
  if (cause instanceof Deno.errors.BrokenPipe || code === "EPIPE") return "reset";
  return typed(cause).message;
}

/** @returns undefined when it is gone already */
function peerOf(pipe: Accepted): string | undefined {
  try {
    const { hostname: host, port } = pipe.remoteAddr as Deno.NetAddr;
    if ("setNoDelay" in pipe) (pipe as unknown as Deno.TcpConn).setNoDelay(true);
    return formatAddress({ host, port });
  } catch {
    return undefined;
  }
}
