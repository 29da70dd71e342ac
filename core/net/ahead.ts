/**
 * A stream that can be waited beside: while a request's answer is held back, nobody reads, and so
 * nobody would notice that the peer has left. One small read goes ahead during such a pause; what it
 * finds is handed out by the next {@link Ahead.read}.
 *
 *   (nothing ahead) -> pause: reading ahead -> bytes, or the end, or a failure, kept -> read -> ...
 *
 * Invariants: at most one read waits on the stream; no byte is lost or handed out twice; no more than
 * `most` bytes are read ahead, so that back-pressure is still the kernel's.
 */
import { BargeError } from "../error.ts";
import type { Stream } from "./stream.ts";

const most = 2048;
const nothing: Uint8Array<ArrayBuffer> = new Uint8Array(0);

export class Ahead {
  readonly #stream: Pick<Stream, "read">;
  /** The read that was begun in a pause, if its outcome is not handed out yet. */
  #reading: Promise<Uint8Array<ArrayBuffer> | null> | undefined;
  #kept = nothing;

  constructor(stream: Pick<Stream, "read">) {
    this.#stream = stream;
  }

  /** As `Stream.read`. */
  read(into: Uint8Array): Promise<number | null> {
    const none = !this.#reading && this.#kept.length === 0;
    return none ? this.#stream.read(into) : this.#handOut(into);
  }

  async #handOut(into: Uint8Array): Promise<number | null> {
    if (this.#reading) {
      const bytes = await this.#reading;
      if (bytes === null) return null; // and so it stays
      this.#reading = undefined;
      this.#kept = bytes;
    }
    const n = Math.min(into.length, this.#kept.length);
    into.set(this.#kept.subarray(0, n));
    this.#kept = this.#kept.subarray(n);
    return n;
  }

  /**
   * Waits.
   *
   * @param ms milliseconds
   * @param ended ends the wait when it is aborted
   * @throws {BargeError} `unavailable` as soon as the peer ends its side; why the stream was closed
   */
  async pause(ms: number, ended: AbortSignal): Promise<void> {
    ended.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => reject(ended.reason);
    const timer = setTimeout(resolve, ms);
    ended.addEventListener("abort", stop);
    if (this.#kept.length === 0) {
      this.#reading ??= this.#begin();
      this.#reading.then((bytes) => {
        if (bytes === null) reject(new BargeError("unavailable", "the client has left"));
      }, reject);
    }
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      ended.removeEventListener("abort", stop);
    }
  }

  async #begin(): Promise<Uint8Array<ArrayBuffer> | null> {
    const buffer = new Uint8Array(most);
    const n = await this.#stream.read(buffer);
    return n === null ? null : buffer.subarray(0, n);
  }
}
