/**
 * Accepts TLS connections. What it gives out has shaken hands already; who connects and says
 * nothing keeps nobody waiting, and is cut after a while, or before that when too many such wait.
 * A renewed certificate is shown to who comes then; connections that stand go on as they began.
 *
 *   listening -> closed
 */
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { BargeError } from "../error.ts";
import { type Address, formatAddress } from "./address.ts";
import type { KeyPair } from "./certificate.ts";
import { alpn, NodePipe } from "./node_pipe.ts";

export interface TlsListenOptions {
  /** Share the port with other isolates. */
  readonly reusePort?: boolean;
  /** Milliseconds until the handshake must be done; 10 s by default. */
  readonly handshake?: number;
  /**
   * How many connections may wait, for their handshake or to be accepted; 256 by default. Of the
   * former the oldest is cut for one more.
   */
  readonly pending?: number;
  /** Told whose handshake failed, and why. */
  readonly onFailure?: (peer: Address, why: string) => void;
}

/** A connection, and where it comes from. */
export interface Accepted extends NodePipe {
  readonly remoteAddr: Deno.NetAddr;
}

export class TlsDoor implements Disposable {
  readonly addr: Deno.NetAddr;
  readonly #server: Server;
  readonly #options: Required<TlsListenOptions>;
  #closed = false;
  /** Whose handshake is under way, the oldest first. */
  readonly #shaking = new Map<string, Socket>();
  readonly #ready: Accepted[] = [];
  readonly #waiting: PromiseWithResolvers<Accepted>[] = [];

  private constructor(server: Server, options: Required<TlsListenOptions>) {
    this.#server = server;
    this.#options = options;
    const { address: hostname, port } = server.address() as { address: string; port: number };
    this.addr = { transport: "tcp", hostname, port };
    server.on("connection", (socket: Socket) => this.#shake(socket));
    server.on("secureConnection", (socket: TLSSocket) => this.#give(socket));
    server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
      const peer = { host: socket.remoteAddress ?? "?", port: socket.remotePort ?? 0 };
      socket.destroy();
      if (!this.#closed) options.onFailure(peer, error.message);
    });
    // No descriptor may be left: whoever accepts from us knows how to wait and what to tell.
    server.on("error", (error: Error) => this.#waiting.shift()?.reject(error));
  }

  /**
   * @throws {BargeError} `fatal` when the certificate can't be used
   * @throws {Error} with the system's `code`, when it can't listen there
   */
  static async listen(
    address: Address,
    pair: KeyPair,
    given: TlsListenOptions = {},
  ): Promise<TlsDoor> {
    const options = {
      ...{ reusePort: false, handshake: 10_000, pending: 256, onFailure: () => {} },
      ...given,
    };
    const { handshake: handshakeTimeout, reusePort } = options;
    const server = usable(() =>
      createServer({ ...context(pair), handshakeTimeout, allowHalfOpen: true, noDelay: true })
    );
    const { host, port } = address;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, reusePort }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    return new TlsDoor(server, options);
  }

  /**
   * @returns a connection whose handshake is done
   * @throws {Deno.errors.BadResource} when it is closed
   */
  accept(): Promise<Accepted> {
    if (this.#closed) return Promise.reject(closed());
    const pipe = this.#ready.shift();
    if (pipe) return Promise.resolve(pipe);
    const waiting = Promise.withResolvers<Accepted>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /**
   * Shows another certificate from here on.
   *
   * @throws {BargeError} `fatal` when it can't be used: then the old one is shown on
   */
  reload(pair: KeyPair): void {
    if (!this.#closed) usable(() => this.#server.setSecureContext(context(pair)));
  }

  /** Stops listening; handshakes that are under way are cut, what was given out is not. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    for (const socket of this.#shaking.values()) socket.destroy();
    for (const pipe of this.#ready.splice(0)) pipe.close();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closed());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #shake(socket: Socket): void {
    const { pending, onFailure } = this.#options;
    if (this.#shaking.size >= pending) {
      const [[name, oldest]] = this.#shaking;
      const peer = addressOf(oldest);
      this.#shaking.delete(name);
      oldest.destroy();
      onFailure(peer, "too many connections wait for a handshake");
    }
    const name = formatAddress(addressOf(socket));
    this.#shaking.set(name, socket);
    socket.once("close", () => {
      if (this.#shaking.get(name) === socket) this.#shaking.delete(name);
    });
  }

  #give(socket: TLSSocket): void {
    const { host: hostname, port } = addressOf(socket);
    this.#shaking.delete(formatAddress({ host: hostname, port }));
    const pipe = Object.assign(new NodePipe(socket), {
      remoteAddr: { transport: "tcp" as const, hostname, port },
    });
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve(pipe);
    else if (!this.#closed && this.#ready.length < this.#options.pending) this.#ready.push(pipe);
    else pipe.close();
  }
}

function context({ cert, key }: KeyPair) {
  return { cert, key, ALPNProtocols: [alpn], minVersion: "TLSv1.2" as const };
}

function addressOf({ remoteAddress, remotePort }: Socket): Address {
  return { host: remoteAddress ?? "?", port: remotePort ?? 0 };
}

/** What the checks of certificate.ts let through, and the TLS library still refuses. */
export function usable<T>(use: () => T): T {
  try {
    return use();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BargeError("fatal", why, { op: "use certificate", cause });
  }
}

function closed(): Error {
  return new Deno.errors.BadResource("the listener is closed");
}
