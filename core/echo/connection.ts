/**
 * One connection to an echo server.
 *
 *   open -> waiting, while its peer does not read -> open
 *       \-> half closed: its peer has ended its side, and is sent the rest -> closed
 *       \-> closed: by an error, when nothing moved on it for too long, or by end()
 *
 * Invariant: who does not read the answers is not read from, beyond what one read gives and what the
 * system keeps.
 */
import type { Socket } from "node:net";
import { typed } from "../error.ts";
import type { Pipe } from "../net/stream.ts";
import { upper } from "./upper.ts";

const piece = 64 * 1024;

/** What both kinds of connection tell. */
export abstract class Connection {
  received = 0;
  readonly began = performance.now();
  readonly peer: string;
  readonly #onEnd: (why: string) => void;
  #why: string | undefined;
  #over = false;
  /** What had moved when it was last looked at, and when that was first seen. */
  #seen = 0;
  #since = this.began;

  constructor(peer: string, onEnd: (why: string) => void) {
    this.peer = peer;
    this.#onEnd = onEnd;
  }

  /** Bytes that are on their way, or there. */
  abstract get sent(): number;

  /** Cuts the connection. */
  protected abstract cut(): void;

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
    this.#over = true;
    this.cut();
    this.#onEnd(this.#why ?? why);
  }

  /** The first one is why the connection ends. */
  protected failed(cause: unknown): void {
    const { code } = cause as { code?: unknown };
    const reset = code === "ECONNRESET" || code === "EPIPE" ||
      cause instanceof Deno.errors.ConnectionReset || cause instanceof Deno.errors.BrokenPipe;
    this.#why ??= reset ? "reset" : typed(cause).message;
  }
}

/** Over a socket of Node's. */
export class SocketConnection extends Connection {
  readonly #socket: Socket;
  /** What was never sent. */
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
    socket.on("error", (error: unknown) => this.failed(error));
    socket.on("close", () => this.end("closed"));
  }

  get sent(): number {
    return this.received - (this.#unsent ?? this.#socket.writableLength);
  }

  protected cut(): void {
    this.#unsent = this.#socket.writableLength;
    this.#socket.destroy();
  }
}

/** Over TLS. */
export class PipeConnection extends Connection {
  sent = 0;
  readonly #pipe: Pipe;

  constructor(pipe: Pipe, peer: string, raw: boolean, onEnd: (why: string) => void) {
    super(peer, onEnd);
    this.#pipe = pipe;
    void this.#echo(raw);
  }

  protected cut(): void {
    this.#pipe.close();
  }

  async #echo(raw: boolean): Promise<void> {
    try {
      const buffer = new Uint8Array(piece);
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
      this.failed(error);
    }
    this.end("closed");
  }
}
