/**
 * An echo server over TCP: it returns the bytes in upper case (upper.ts) or unchanged (RFC 862).
 *
 * Invariant: at most `maxConnections` are open; `seats` counts them over all workers. Further ones
 * are closed at once and counted.
 *
 * It uses Node's sockets, which the runtime serves in order. In one turn of the event loop it serves
 * only 128 of Deno's sockets, and prefers those whose read began last. Of several hundred busy
 * connections some then starve: of 500, the slowest got a tenth of the mean number of answers, with
 * a 99.9th percentile of 500 ms. With 10,000, all are slow.
 */
import { createServer, type Server, type Socket } from "node:net";
import { BargeError, typed } from "../error.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { KeyPair } from "../net/certificate.ts";
import { TlsListener } from "../net/listen_tls.ts";
import { type Connection, PipeConnection, SocketConnection } from "./connection.ts";
import { type Counters, type Traffic, zeroCounters } from "./counters.ts";

const sweepIntervalMs = 1000;
/** Pause after a failed accept, for instance when no descriptor is left. */
const acceptPauseMs = 50;

export interface Ended extends Traffic {
  readonly seconds: number;
  /** `closed` by its peer, `reset` or another error, `idle`, `stopped`. */
  readonly why: string;
}

export interface EchoOptions {
  readonly raw: boolean;
  /** Share the port with other workers. */
  readonly reusePort: boolean;
  readonly tls: KeyPair | undefined;
  /** The largest number of open connections; 0: any number. */
  readonly maxConnections: number;
  /** The time after which an idle connection is cut, in ms; 0: never. */
  readonly idle: number;
  /** Length of the queue of connections to accept, within the system's limit. */
  readonly backlog: number;
  /** One word, shared by all workers: the number of open connections. */
  readonly seats: Int32Array;
  readonly onOpen?: (peer: string) => void;
  readonly onEnd?: (ended: Ended) => void;
  /** Called when a connection can't be accepted; the server continues. */
  readonly onTrouble?: (error: BargeError) => void;
}

interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

export class EchoTcp {
  readonly address: Address;
  readonly #listener: Listener;
  readonly #options: EchoOptions;
  readonly #open = new Set<Connection>();
  readonly #counts = { accepted: 0, refused: 0, idle: 0, received: 0, sent: 0 };
  readonly #sweeper: ReturnType<typeof setInterval>;

  private constructor(
    host: string,
    options: EchoOptions,
    listen: (echo: EchoTcp) => Listener,
  ) {
    this.#options = options;
    this.#listener = listen(this);
    this.address = { host, port: this.#listener.port };
    this.#sweeper = setInterval(() => this.#sweep(), sweepIntervalMs);
  }

  /** @throws {BargeError} when it can't listen there, or the certificate can't be used */
  static async listen(address: Address, options: EchoOptions): Promise<EchoTcp> {
    const { tls } = options;
    try {
      if (tls) return new EchoTcp(address.host, options, (echo) => echo.#overTls(address, tls));
      const server = await listenPlain(address, options);
      return new EchoTcp(address.host, options, (echo) => echo.#plain(server));
    } catch (cause) {
      throw typed(cause, { op: "listen on", path: formatAddress(address) });
    }
  }

  #plain(server: Server): Listener {
    const { raw } = this.#options;
    server.on("connection", (socket: Socket) => {
      const { remoteAddress: host, remotePort: port } = socket;
      const peer = host !== undefined && port !== undefined && formatAddress({ host, port });
      if (peer && this.#admit()) {
        this.#add(peer, (end) => new SocketConnection(socket, peer, raw, end));
      } else {
        socket.on("error", () => {/* the connection was refused */});
        socket.destroy();
      }
    });
    server.on("error", (cause) => this.#trouble(cause));
    return {
      port: (server.address() as { port: number }).port,
      close: () => new Promise((resolve) => server.close(() => resolve())),
    };
  }

  #overTls(address: Address, pair: KeyPair): Listener {
    const { raw, reusePort } = this.#options;
    const listener = new TlsListener(address, pair, { reusePort });
    const accept = async () => {
      while (true) {
        try {
          const pipe = await listener.accept();
          const { hostname: host, port } = pipe.remoteAddr;
          const peer = formatAddress({ host, port });
          if (!this.#admit()) pipe.close();
          else this.#add(peer, (end) => new PipeConnection(pipe, peer, raw, end));
        } catch (cause) {
          if (cause instanceof Deno.errors.BadResource) return;
          this.#trouble(cause);
          await new Promise((resolve) => setTimeout(resolve, acceptPauseMs));
        }
      }
    };
    const accepting = accept();
    const close = async () => {
      listener.close();
      await accepting;
    };
    return { port: listener.addr.port, close };
  }

  get counters(): Counters {
    const total = { ...zeroCounters, ...this.#counts, open: this.#open.size };
    for (const { received, sent } of this.#open) {
      total.received += received;
      total.sent += sent;
    }
    return total;
  }

  /** The traffic of each open connection. */
  get connections(): Traffic[] {
    return Array.from(this.#open, ({ peer, received, sent }) => ({ peer, received, sent }));
  }

  /** Stops listening and closes all connections. */
  async stop(): Promise<void> {
    clearInterval(this.#sweeper);
    const closed = this.#listener.close();
    for (const connection of this.#open) connection.end("stopped");
    await closed;
  }

  /** Counts a new connection. @returns false if there are too many */
  #admit(): boolean {
    const { maxConnections, seats, onTrouble } = this.#options;
    const before = Atomics.add(seats, 0, 1);
    if (maxConnections === 0 || before < maxConnections) return true;
    Atomics.sub(seats, 0, 1);
    this.#counts.refused++;
    const why = `${maxConnections} connections are open, the most allowed`;
    onTrouble?.(new BargeError("unavailable", why));
    return false;
  }

  #add(peer: string, begin: (onEnd: (why: string) => void) => Connection): void {
    this.#counts.accepted++;
    this.#options.onOpen?.(peer);
    const connection = begin((why) => {
      this.#open.delete(connection);
      Atomics.sub(this.#options.seats, 0, 1);
      if (why === "idle") this.#counts.idle++;
      const { received, sent, began } = connection;
      this.#counts.received += received;
      this.#counts.sent += sent;
      const seconds = Math.round(performance.now() - began) / 1000;
      this.#options.onEnd?.({ peer, received, sent, seconds, why });
    });
    this.#open.add(connection);
  }

  #trouble(cause: unknown): void {
    this.#options.onTrouble?.(typed(cause, { op: "accept" }));
  }

  #sweep(): void {
    const { idle } = this.#options;
    if (idle === 0) return;
    const now = performance.now();
    for (const connection of this.#open) {
      if (connection.idleMs(now) > idle) connection.end("idle");
    }
  }
}

async function listenPlain({ host, port }: Address, options: EchoOptions): Promise<Server> {
  const { reusePort, backlog } = options;
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, reusePort, backlog }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return server;
}
