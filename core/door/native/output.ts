/**
 * Sends answers to a client in order: small ones are gathered and sent together, large bodies without
 * a copy. The connection flushes before it reads the next request, so no answer that a client waits
 * for is held back. A flush during a write waits for it, and then sends all gathered bytes in one piece.
 */
import { setImmediate } from "node:timers";
import type { Stream } from "../../net/stream.ts";
import type { Brake } from "../brake.ts";

/** The gathered bytes from which on the connection flushes. */
const fullBytes = 64 * 1024;

export class Output {
  readonly #stream: Stream;
  readonly #patience: number;
  #gathered: Uint8Array[] = [];
  #size = 0;
  #writing: Promise<void> = Promise.resolve();
  readonly #brake: () => Brake | undefined;
  /** True while a write of the gathered bytes waits for the current write. */
  #flushQueued = false;
  /** True while a flush at the end of this turn of the event loop is scheduled. */
  #flushScheduled = false;

  /**
   * @param patience the time in which the client may read nothing, in ms
   * @param brake called before each write; undefined for full speed
   */
  constructor(
    stream: Stream,
    patience: number,
    brake: () => Brake | undefined = () => undefined,
  ) {
    this.#stream = stream;
    this.#patience = patience;
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
        const bytes = concat(this.#gathered, this.#size);
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

  /** Sends bytes without a copy, after the gathered ones; nothing may be queued meanwhile. */
  async write(bytes: Uint8Array): Promise<void> {
    this.flush();
    await this.#then(() => this.#send(bytes));
  }

  #send(bytes: Uint8Array): Promise<void> {
    const brake = this.#brake();
    return brake ? this.#slowly(bytes, brake) : this.#stream.write(bytes, this.#patience);
  }

  async #slowly(bytes: Uint8Array, brake: Brake): Promise<void> {
    for (let at = 0; at < bytes.length; at += brake.piece) {
      const piece = bytes.subarray(at, at + brake.piece);
      await brake.hold(piece.length);
      await this.#stream.write(piece, this.#patience);
    }
  }

  #then(write: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(write);
    this.#writing.catch(() => {/* each caller gets the failure by its own promise */});
    return this.#writing;
  }
}

function concat(pieces: readonly Uint8Array[], size: number): Uint8Array {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
