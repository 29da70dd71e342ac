/**
 * Gathers small writes into large ones, and sends them when the buffer is full enough, or by a flush:
 * a tree of small files takes one write per 64 KiB, not three a file.
 */
import type { RateLimit } from "./rate_limit.ts";
import type { Stream } from "../net/stream.ts";

const capacity = 128 * 1024;
/** The fewest bytes that are written without a flush; larger pieces are not copied. */
const writeBytes = 64 * 1024;

export class Outbox {
  readonly #stream: Stream;
  readonly #limit: RateLimit | undefined;
  readonly #closed: AbortSignal;
  readonly #buffer = new Uint8Array(capacity);
  /** When bytes were last sent, by performance.now(). */
  lastWrite = performance.now();
  #length = 0;
  /** The write under way, behind which later ones queue. */
  #busy: Promise<void> | undefined;

  /**
   * @param limit slows the sending down; undefined: no limit
   * @param closed aborted when the stream is closed
   */
  constructor(stream: Stream, limit: RateLimit | undefined, closed: AbortSignal) {
    this.#stream = stream;
    this.#limit = limit;
    this.#closed = closed;
  }

  /**
   * Takes bytes to be sent, in the order of the calls.
   *
   * @returns once they are copied or written, so that the caller may change them
   * @throws {BargeError} why the stream is closed
   */
  async send(...parts: readonly Uint8Array[]): Promise<void> {
    let size = 0;
    for (const part of parts) size += part.length;
    if (!this.#busy && this.#length + size < writeBytes) {
      for (const part of parts) this.#gather(part);
      return;
    }
    await this.#queue(async () => {
      for (const part of parts) {
        if (part.length < writeBytes) {
          if (this.#length + part.length > capacity) await this.#write();
          this.#gather(part);
        } else {
          await this.#write();
          await this.#send(part);
        }
      }
      if (this.#length >= writeBytes) await this.#write();
    });
  }

  /** Sends the gathered bytes. @throws {BargeError} why the stream is closed */
  async flush(): Promise<void> {
    if (this.#busy || this.#length > 0) await this.#queue(() => this.#write());
  }

  #queue(step: () => Promise<void>): Promise<void> {
    const turn = (this.#busy ?? Promise.resolve()).then(step);
    const settled = turn.catch(() => {/* the caller of this step handles it */}).then(() => {
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
    for (let sent = 0; sent < bytes.length;) {
      const piece = bytes.subarray(sent, sent + (this.#limit?.pieceBytes ?? bytes.length));
      await this.#limit?.take(piece.length, this.#closed);
      await this.#stream.write(piece);
      this.lastWrite = performance.now();
      sent += piece.length;
    }
  }
}
