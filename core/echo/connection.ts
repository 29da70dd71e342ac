/**
 * One connection to an echo server.
 *
 *   open -> waiting, while the peer does not read -> open
 *       \-> half closed: the peer has ended its side, and receives the rest -> closed
 *       \-> closed: by an error, when it was idle for too long, or by end()
 *
 * Invariant: while the peer does not read answers, the server reads nothing from it beyond one read
 * and the system's buffers.
 */
import type { Socket } from "node:net";
import { typed } from "../error.ts";
import type { Pipe } from "../net/stream.ts";
import { upper } from "./upper.ts";

const bufferBytes = 64 * 1024;

export abstract class Connection {
  received = 0;
  readonly began = performance.now();
  readonly peer: string;
  readonly #onEnd: (why: string) => void;
  #error: string | undefined;
  #ended = false;
  /** The number of bytes moved until the last check, and the time of the first check that saw this number. */
  #movedBytes = 0;
  #movedAt = this.began;

  constructor(peer: string, onEnd: (why: string) => void) {
    this.peer = peer;
    this.#onEnd = onEnd;
  }

  /** Bytes that were sent, including those in the system's buffers. */
  abstract get sent(): number;

  protected abstract destroy(): void;

  /** Returns the milliseconds since the first check that saw the current number of bytes. */
  idleMs(now: number): number {
    if (this.received + this.sent !== this.#movedBytes) {
      this.#movedBytes = this.received + this.sent;
      this.#movedAt = now;
    }
    return now - this.#movedAt;
  }

  /** Ends the connection. @param why the reason, unless an error came first */
  end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.destroy();
    this.#onEnd(this.#error ?? why);
  }

  /** Records the first error as the reason for the end. */
  protected fail(cause: unknown): void {
    const { code } = cause as { code?: unknown };
    const reset = code === "ECONNRESET" || code === "EPIPE" ||
      cause instanceof Deno.errors.ConnectionReset || cause instanceof Deno.errors.BrokenPipe;
    this.#error ??= reset ? "reset" : typed(cause).message;
  }
}

/** A connection over a socket of Node. */
export class SocketConnection extends Connection {
  readonly #socket: Socket;
  /** Bytes that were never sent; set at the end. */
  #unsent: number | undefined;

  constructor(socket: Socket, peer: string, raw: boolean, onEnd: (why: string) => void) {
    super(peer, onEnd);
    this.#socket = socket;
    socket.on("data", (chunk: Uint8Array) => {
      this.received += chunk.length;
      if (!raw) upper(chunk);
      if (!socket.write(chunk)) socket.pause();
    });
    socket.on("drain", () => socket.resume());
    socket.on("end", () => socket.end());
    socket.on("error", (error: unknown) => this.fail(error));
    socket.on("close", () => this.end("closed"));
  }

  get sent(): number {
    return this.received - (this.#unsent ?? this.#socket.writableLength);
  }

  protected destroy(): void {
    this.#unsent = this.#socket.writableLength;
    this.#socket.destroy();
  }
}

/** A connection over TLS. */
export class PipeConnection extends Connection {
  sent = 0;
  readonly #pipe: Pipe;

  constructor(pipe: Pipe, peer: string, raw: boolean, onEnd: (why: string) => void) {
    super(peer, onEnd);
    this.#pipe = pipe;
    void this.#echo(raw);
  }

  protected destroy(): void {
    this.#pipe.close();
  }

  async #echo(raw: boolean): Promise<void> {
    try {
      const buffer = new Uint8Array(bufferBytes);
      for (let n; (n = await this.#pipe.read(buffer)) !== null;) {
        this.received += n;
        const chunk = buffer.subarray(0, n);
        if (!raw) upper(chunk);
        for (let at = 0; at < n;) {
          const written = await this.#pipe.write(chunk.subarray(at));
          at += written;
          this.sent += written;
        }
      }
      await this.#pipe.closeWrite();
    } catch (error) {
      this.fail(error);
    }
    this.end("closed");
  }
}
