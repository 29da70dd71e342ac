/**
 * Reads a stream ahead while a request's answer is delayed, or waits for the client to read it, so that
 * the end of the peer, or its signs of life, are noticed. {@link ReadAhead.read} then returns the bytes
 * that were read ahead.
 *
 *   (nothing ahead) -> pause, more: reading ahead -> bytes, end or failure kept -> read -> ...
 *
 * Invariants: at most one read waits on the stream; no byte is lost or returned twice; at most
 * `maxKeptBytes` are read ahead, so that the kernel still applies back-pressure.
 */
import { BargeError } from "../error.ts";
import type { Stream } from "./stream.ts";

const pieceBytes = 2048;
/** Holds the signs of life of the longest pause that a client may make (protocol/frame.ts). */
const maxKeptBytes = 128 * 1024;
const nothing: Uint8Array<ArrayBuffer> = new Uint8Array(0);

export class ReadAhead {
  readonly #stream: Pick<Stream, "read">;
  /** The read ahead whose outcome is not kept yet. A failure or end repeats with each read. */
  #reading: Promise<number | null> | undefined;
  /** The buffer; its bytes from `#start` to `#end` are kept. */
  #buffer = nothing;
  #start = 0;
  #end = 0;

  constructor(stream: Pick<Stream, "read">) {
    this.#stream = stream;
  }

  /** As `Stream.read`. */
  read(into: Uint8Array): Promise<number | null> {
    const none = !this.#reading && this.#start === this.#end;
    return none ? this.#stream.read(into) : this.#handOut(into);
  }

  async #handOut(into: Uint8Array): Promise<number | null> {
    if (this.#start === this.#end && await this.#keep() === null) return null; // as does each later read
    const n = Math.min(into.length, this.#end - this.#start);
    into.set(this.#buffer.subarray(this.#start, this.#start + n));
    this.#start += n;
    if (this.#start === this.#end && !this.#reading) {
      this.#buffer = nothing;
      this.#start = this.#end = 0;
    }
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
    if (this.#start === this.#end) {
      this.#keep().then((n) => {
        if (n === null) reject(new BargeError("unavailable", "the client has left"));
      }, reject);
    }
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      ended.removeEventListener("abort", stop);
    }
  }

  /**
   * Reads one more piece.
   *
   * @returns the number of bytes; 0 when no more are kept; null when the peer has ended its side
   * @throws {BargeError} as `Stream.read`
   */
  async more(): Promise<number | null> {
    return this.#end >= maxKeptBytes ? 0 : await this.#keep();
  }

  /** Waits for the read ahead, begins it if none is under way, and keeps its bytes. */
  async #keep(): Promise<number | null> {
    const reading = this.#reading ??= this.#begin();
    const n = await reading;
    if (n !== null && this.#reading === reading) {
      this.#reading = undefined;
      this.#end += n;
    }
    return n;
  }

  #begin(): Promise<number | null> {
    if (this.#buffer.length - this.#end < pieceBytes) {
      const larger = new Uint8Array(Math.max(pieceBytes, 2 * this.#end));
      larger.set(this.#buffer.subarray(0, this.#end));
      this.#buffer = larger;
    }
    return this.#stream.read(this.#buffer.subarray(this.#end, this.#end + pieceBytes));
  }
}
