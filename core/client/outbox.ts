/**
 * Gathers small writes into few large ones: a tree of small files is one write per 64 KiB, not
 * three a file.
 *
 * Invariants: bytes leave in the order in which they were handed over, whoever awaits whom; what
 * was handed over was copied or written when its promise resolves, so that buffers can be used
 * again. Nothing leaves by itself before the buffer is full: who waits for an answer flushes.
 */
import type { Stream } from "../net/stream.ts";

const capacity = 128 * 1024;
/** From this many bytes on, what is gathered is written; larger pieces are not copied at all. */
const enough = 64 * 1024;

export class Outbox {
  readonly #stream: Stream;
  readonly #buffer = new Uint8Array(capacity);
  #length = 0;
  #wrote = performance.now();
  /** The write under way, behind which later ones queue. */
  #busy: Promise<void> | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /**
   * Takes bytes to be sent.
   *
   * @returns once they may be changed again
   * @throws {BargeError} why the stream is closed
   */
  async send(...parts: readonly Uint8Array[]): Promise<void> {
    let size = 0;
    for (const part of parts) size += part.length;
    if (!this.#busy && this.#length + size < enough) {
      for (const part of parts) this.#gather(part);
      return;
    }
    await this.#queue(async () => {
      for (const part of parts) {
        if (part.length < enough) {
          if (this.#length + part.length > capacity) await this.#write();
          this.#gather(part);
        } else {
          await this.#write();
          await this.#send(part);
        }
      }
      if (this.#length >= enough) await this.#write();
    });
  }

  /** When bytes were last sent, by performance.now(). */
  get wrote(): number {
    return this.#wrote;
  }

  /** Sends what was gathered. @throws {BargeError} why the stream is closed */
  async flush(): Promise<void> {
    if (this.#busy || this.#length > 0) await this.#queue(() => this.#write());
  }

  #queue(step: () => Promise<void>): Promise<void> {
    const turn = (this.#busy ?? Promise.resolve()).then(step);
    const settled = turn.catch(() => {/* whoever awaits the turn is told */}).then(() => {
      if (this.#busy === settled) this.#busy = undefined;
    });
    this.#busy = settled;
    return turn;
  }

  #gather(part: Uint8Array): void {
    this.#buffer.set(part, this.#length);
    this.#length += part.length;
  }

  async #write(): Promise<void> {
    if (this.#length === 0) return;
    const length = this.#length;
    this.#length = 0;
    await this.#send(this.#buffer.subarray(0, length));
  }

  async #send(bytes: Uint8Array): Promise<void> {
    await this.#stream.write(bytes);
    this.#wrote = performance.now();
  }
}
