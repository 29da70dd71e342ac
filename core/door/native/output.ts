/**
 * Sends answers to a client in order: small answers are gathered and sent together, large bodies without
 * a copy. The connection flushes before it reads the next request, so a client never waits for a gathered
 * answer. A flush during a write waits for that write, and then sends all gathered bytes in one piece.
 */
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import type { Stream } from "../../net/stream.ts";
import type { Brake } from "../brake.ts";

/** The number of gathered bytes that makes the connection flush. */
const fullBytes = 64 * 1024;

export class Output {
  readonly #stream: Stream;
  readonly #readTimeoutMs: number;
  #gathered: Uint8Array[] = [];
  #size = 0;
  #writing: Promise<void> = Promise.resolve();
  /** Called before each write; undefined for full speed. */
  readonly #brake: () => Brake | undefined;
  /** True while a flush waits for the current write. */
  #flushQueued = false;
  /** True while a flush is scheduled for the end of this turn of the event loop. */
  #flushScheduled = false;

  /** @param readTimeoutMs the longest time in which the client reads nothing */
  constructor(stream: Stream, readTimeoutMs: number, brake: () => Brake | undefined) {
    this.#stream = stream;
    this.#readTimeoutMs = readTimeoutMs;
    this.#brake = brake;
  }

  /** True if enough is gathered for a flush. */
  get full(): boolean {
    return this.#size >= fullBytes;
  }

  /** Gathers bytes, which must not change later. */
  queue(bytes: Uint8Array): void {
    this.#gathered.push(bytes);
    this.#size += bytes.length;
  }

  /** Sends the gathered bytes. @throws {BargeError} `unavailable`, now and at every later call */
  flush(): Promise<void> {
    if (this.#size > 0 && !this.#flushQueued) {
      this.#flushQueued = true;
      this.#then(() => {
        this.#flushQueued = false;
        const [first, ...others] = this.#gathered;
        const bytes = others.length === 0 ? first : Buffer.concat(this.#gathered);
        this.#gathered = [];
        this.#size = 0;
        return this.#send(bytes);
      });
    }
    return this.#writing;
  }

  /** Flushes at the end of this turn of the event loop, so that many answers are one write. */
  flushSoon(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.flush().catch(() => {/* reads of the stream fail, too */});
    });
  }

  /** Sends the gathered bytes, then these without a copy; nothing may be queued meanwhile. */
  async write(bytes: Uint8Array): Promise<void> {
    this.flush();
    await this.#then(() => this.#send(bytes));
  }

  #send(bytes: Uint8Array): Promise<void> {
    const brake = this.#brake();
    return brake ? this.#slowly(bytes, brake) : this.#stream.write(bytes, this.#readTimeoutMs);
  }

  async #slowly(bytes: Uint8Array, brake: Brake): Promise<void> {
    for (let at = 0; at < bytes.length; at += brake.piece) {
      const piece = bytes.subarray(at, at + brake.piece);
      await brake.hold(piece.length);
      await this.#stream.write(piece, this.#readTimeoutMs);
    }
  }

  #then(write: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(write);
    this.#writing.catch(() => {/* each caller gets the failure by its own promise */});
    return this.#writing;
  }
}
