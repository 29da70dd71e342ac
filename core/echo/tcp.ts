/**
 * An echo server over TCP: what comes goes back, in upper case (upper.ts) or as it is (RFC 862).
 *
 * A connection:
 *
 *   open -> paused, while its peer does not read -> open
 *       \-> half closed: its peer has ended its side, and is sent the rest -> closed
 *       \-> closed: by an error, when nothing moved on it for too long, or by stop()
 *
 * Invariants: who does not read the answers is not read from, beyond what one read gives (64 KiB) and
 * what the socket keeps (its high-water mark). At most `maxConnections` are open, counted over all
 * workers by `seats`; who comes beyond is closed at once and counted.
 *
 * Node's sockets and not Deno's: of Deno's the runtime serves 128 a turn and prefers the ones that
 * have just come, so that with some hundreds of busy connections some starve (500: the worst-served
 * had a tenth of the mean, p99.9 500 ms), and with 10,000 all are slow. Node's are served in order.
 */
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { BargeError, typed } from "../error.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { KeyPair } from "../net/certificate.ts";
import { type Counters, nothing, type Traffic } from "./counters.ts";
import { upper } from "./upper.ts";

const sweepEvery = 1000;
/** Milliseconds until a TLS handshake must be done. */
const handshakeTimeout = 10_000;

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
  /** How many connections may wait to be accepted, if the system allows it. */
  readonly backlog: number;
  /** One number, shared by all workers: how many connections are open. */
  readonly seats: Int32Array;
  readonly onOpen?: (peer: string) => void;
  readonly onEnd?: (ended: Ended) => void;
  /** Told when a connection can't be accepted; the server goes on. */
  readonly onTrouble?: (error: BargeError) => void;
}

export class EchoTcp {
  readonly address: Address;
  readonly #server: Server;
  readonly #options: EchoOptions;
  readonly #open = new Set<Connection>();
  readonly #counts = { accepted: 0, refused: 0, idle: 0, received: 0, sent: 0 };
  readonly #sweeper: ReturnType<typeof setInterval>;

  private constructor(server: Server, host: string, options: EchoOptions) {
    this.#server = server;
    this.#options = options;
    this.address = { host, port: (server.address() as { port: number }).port };
    this.#sweeper = setInterval(() => this.#sweep(), sweepEvery);
    server.on(options.tls ? "secureConnection" : "connection", (socket) => this.#take(socket));
    server.on("error", (cause) => options.onTrouble?.(typed(cause, { op: "accept" })));
  }

  /** @throws {BargeError} when it can't listen there, or the certificate can't be used */
  static async listen(address: Address, options: EchoOptions): Promise<EchoTcp> {
    const { host, port } = address;
    const { reusePort, tls, backlog } = options;
    const facts = { op: "listen on", path: formatAddress(address) };
    const common = { allowHalfOpen: true, noDelay: true };
    let server: Server;
    try {
      server = tls
        ? createTlsServer({ ...common, ...tls, handshakeTimeout, minVersion: "TLSv1.2" })
        : createServer(common);
    } catch (cause) {
      throw new BargeError("fatal", (cause as Error).message, { op: "use certificate", cause });
    }
    await new Promise<void>((resolve, reject) => {
      const failed = (cause: unknown) => reject(typed(cause, facts));
      server.once("error", failed);
      server.listen({ host, port, reusePort, backlog }, () => {
        server.off("error", failed);
        resolve();
      });
    });
    return new EchoTcp(server, host, options);
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
    clearInterval(this.#sweeper);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#open) connection.end("stopped");
    await closed;
  }

  #take(socket: Socket): void {
    const { maxConnections, seats, raw } = this.#options;
    const before = Atomics.add(seats, 0, 1);
    const room = maxConnections === 0 || before < maxConnections;
    const { remoteAddress: host, remotePort: port } = socket;
    if (!room || host === undefined || port === undefined) {
      Atomics.sub(seats, 0, 1);
      if (!room) {
        this.#counts.refused++;
        const why = `${maxConnections} are open, and there is no room for more`;
        this.#options.onTrouble?.(new BargeError("unavailable", why));
      }
      socket.on("error", () => {/* it is not wanted */});
      socket.destroy();
      return;
    }
    socket.setNoDelay(true); // the server's option of that name does not reach TLS
    const peer = formatAddress({ host, port });
    this.#counts.accepted++;
    this.#options.onOpen?.(peer);
    const connection = new Connection(socket, peer, raw, (why) => {
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

class Connection {
  received = 0;
  readonly began = performance.now();
  readonly peer: string;
  readonly #socket: Socket;
  readonly #onEnd: (why: string) => void;
  #why: string | undefined;
  #over = false;
  /** What had moved when it was last looked at, and when that was first seen. */
  #seen = 0;
  #since = this.began;

  constructor(socket: Socket, peer: string, raw: boolean, onEnd: (why: string) => void) {
    this.#socket = socket;
    this.peer = peer;
    this.#onEnd = onEnd;
    socket.on("data", (chunk: Uint8Array) => {
      this.received += chunk.length;
      if (!raw) upper(chunk);
      if (!socket.write(chunk)) socket.pause();
    });
    socket.on("drain", () => socket.resume());
    socket.on("end", () => socket.end());
    socket.on("error", (error: unknown) => this.#why ??= reason(error));
    socket.on("close", () => this.end("closed"));
  }

  /** Bytes that are on their way, or there. */
  get sent(): number {
    return this.received - (this.#over ? this.#unsent : this.#socket.writableLength);
  }

  /** Milliseconds since something moved, as far as it was looked at. */
  still(now: number): number {
    if (this.received + this.sent !== this.#seen) {
      this.#seen = this.received + this.sent;
      this.#since = now;
    }
    return now - this.#since;
  }

  /** @param why unless an error was first */
  end(why: string): void {
    if (this.#over) return;
    this.#unsent = this.#socket.writableLength;
    this.#over = true;
    this.#socket.destroy();
    this.#onEnd(this.#why ?? why);
  }

  #unsent = 0;
}

function reason(cause: unknown): string {
  const { code } = cause as { code?: unknown };
  return code === "ECONNRESET" || code === "EPIPE" ? "reset" : typed(cause).message;
}
