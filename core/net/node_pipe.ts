/**
 * TLS connections, both ends of which are Node's.
 *
 * Deno's own TLS can't be used against strangers: closing one of its connections waits, out of
 * reach, until the peer has shaken hands or has read what was written to it, and keeps the socket
 * until then. Node's are cut when they are told so.
 */
import { Buffer } from "node:buffer";
import type { TLSSocket } from "node:tls";
import type { Pipe } from "./stream.ts";

/** The name that client and server agree on in the handshake (RFC 7301). */
export const alpn = "barge/1";

/**
 * A Node socket, read and written as Deno's connections are. At most one read and one write wait at
 * a time, which Stream promises. The socket is paused but for the time of a read.
 */
export class NodePipe implements Pipe {
  readonly #socket: TLSSocket;
  #unread: Uint8Array = new Uint8Array();
  #error: unknown;
  #over = false;
  #wake: () => void = () => {};

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.pause();
    socket.on("data", (chunk: Uint8Array) => {
      socket.pause();
      this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
      this.#wake();
    });
    socket.on("end", () => this.#end());
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end());
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#unread.length === 0) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#over) return null;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#socket.resume();
      await promise;
    }
    const n = Math.min(into.length, this.#unread.length);
    into.set(this.#unread.subarray(0, n));
    this.#unread = this.#unread.subarray(n);
    return n;
  }

  /** The bytes may be used again when it is done. */
  write(bytes: Uint8Array): Promise<number> {
    return writeTo(this.#socket, bytes, () => this.#error);
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) resolve();
      else this.#socket.end(() => resolve());
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #end(error?: unknown): void {
    this.#error ??= error;
    this.#over = true;
    this.#wake();
  }
}

/** Writes all of the bytes. @param why what has ended the socket, if it has ended */
export function writeTo(
  socket: TLSSocket,
  bytes: Uint8Array,
  why: () => unknown,
): Promise<number> {
  if (socket.destroyed) {
    return Promise.reject(why() ?? new Deno.errors.BadResource("the connection is closed"));
  }
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const fail = () => reject(why() ?? new Deno.errors.BrokenPipe("the connection broke"));
  socket.once("close", fail);
  socket.write(bytes, (error) => {
    socket.off("close", fail);
    if (error) reject(error);
    else resolve(bytes.length);
  });
  return promise;
}
