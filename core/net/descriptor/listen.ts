/**
 * Accepts connections at a descriptor of a socket that listens already: a Unix socket, or a socket of the
 * service manager. The runtime accepts at a descriptor by `node:net` only, so its sockets are made pipes here.
 *
 * Invariants: at most `maxWaiting` accepted connections wait for `accept`, a later one is closed; bytes are
 * read only while a reader waits, apart from one buffer of the runtime (the back-pressure).
 *
 * `node:net` reads pieces of 64 KiB into new buffers, which costs four times the CPU of the runtime's own listeners. Its
 * `highWaterMark` and a queue of pieces in place of `read` did not lower that (measured with Deno 2.9.6).
 */
import { createServer, type Server, type Socket } from "node:net";
import { BargeError } from "../../error.ts";
import { unixPeer } from "../address.ts";
import type { Conn, ConnListener } from "../prepared_listener.ts";

const maxWaiting = 256;

/**
 * Listens at a descriptor.
 *
 * @param fd closed with the listener
 * @throws {BargeError} `fatal` when the runtime can't listen at it
 */
export function listenDescriptor(fd: number): ConnListener {
  const listener = new DescriptorListener();
  listener.listen(fd);
  return listener;
}

class DescriptorListener implements ConnListener {
  addr: Deno.NetAddr = endOf(undefined, undefined);
  readonly #server: Server;
  readonly #accepted: SocketConn[] = [];
  readonly #waiting: PromiseWithResolvers<Conn>[] = [];
  #closed = false;

  constructor() {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#take(socket);
    });
    this.#server.on("error", (error) => this.#waiting.shift()?.reject(error));
  }

  listen(fd: number): void {
    this.#server.listen({ fd });
    if (!this.#server.listening) {
      const facts = { op: "listen on", path: `descriptor ${fd}` };
      throw new BargeError("fatal", "the runtime cannot listen at this descriptor", facts);
    }
    const address = this.#server.address();
    if (address !== null && typeof address === "object") {
      this.addr = endOf(address.address, address.port);
    }
  }

  accept(): Promise<Conn> {
    if (this.#closed) return Promise.reject(closed());
    const conn = this.#accepted.shift();
    if (conn) return Promise.resolve(conn);
    const waiting = Promise.withResolvers<Conn>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    for (const conn of this.#accepted.splice(0)) conn.close();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closed());
  }

  #take(socket: Socket): void {
    // The system forgets the address of a client that has reset the connection already.
    if (this.addr.hostname !== unixPeer && socket.remoteAddress === undefined) {
      return void socket.destroy();
    }
    const conn = new SocketConn(socket);
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve(conn);
    else if (!this.#closed && this.#accepted.length < maxWaiting) this.#accepted.push(conn);
    else conn.close();
  }
}

/** A socket of `node:net` as a connection. */
class SocketConn implements Conn {
  readonly remoteAddr: Deno.NetAddr;
  readonly localAddr: Deno.NetAddr;
  readonly #socket: Socket;
  #error: unknown;
  #ended = false;
  /** Resumes the reader that waits. */
  #wake: () => void = () => {};
  /** Functions that end the waits of writers. */
  readonly #writers = new Set<() => void>();

  /** @param socket closed with the connection */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.remoteAddr = endOf(socket.remoteAddress, socket.remotePort);
    this.localAddr = endOf(socket.localAddress, socket.localPort);
    const wake = () => this.#wake();
    socket.on("readable", wake);
    socket.on("end", () => {
      this.#ended = true;
      wake();
    });
    socket.on("error", (error) => this.#error = error);
    socket.on("close", () => {
      wake();
      for (const stop of this.#writers) stop();
      this.#writers.clear();
    });
  }

  setNoDelay(noDelay = true): void {
    this.#socket.setNoDelay(noDelay);
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (true) {
      const length = Math.min(into.length, this.#socket.readableLength);
      const bytes: Uint8Array | null = length > 0 ? this.#socket.read(length) : null;
      if (bytes !== null) {
        into.set(bytes);
        return bytes.length;
      }
      if (this.#ended) return null;
      if (this.#socket.destroyed) throw this.#failure();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#socket.read(0); // asks the runtime for bytes
      await promise;
    }
  }

  /** Writes all of the bytes. Their buffer may be used again afterwards. */
  write(bytes: Uint8Array): Promise<number> {
    if (this.#socket.destroyed) return Promise.reject(this.#failure());
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const fail = () => reject(this.#failure());
    this.#writers.add(fail);
    this.#socket.write(bytes, (error) => {
      this.#writers.delete(fail);
      if (error) reject(error);
      else resolve(bytes.length);
    });
    return promise;
  }

  async closeWrite(): Promise<void> {
    if (this.#socket.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#writers.add(resolve);
    this.#socket.end(resolve);
    await promise;
    this.#writers.delete(resolve);
  }

  close(): void {
    this.#socket.destroy();
  }

  #failure(): unknown {
    return this.#error ?? closed();
  }
}

/** Returns an end of a connection; one at a Unix socket has the host {@link unixPeer}. */
function endOf(hostname: string | undefined, port: number | undefined): Deno.NetAddr {
  return { transport: "tcp", hostname: hostname ?? unixPeer, port: port ?? 0 };
}

function closed(): Error {
  return new Deno.errors.BadResource("the connection is closed");
}
