/**
 * Reads a stream ahead while a request's answer is delayed, or waits for the client to read it, so that
 * the end of the connection, or keep-alives of the peer, are noticed. {@link ReadAhead.read} then returns
 * the bytes that were read ahead.
 *
 *   (nothing ahead) -> pause, more: reading ahead -> bytes, end or failure kept -> read -> ...
 *
 * Invariants: at most one read waits on the stream; no byte is lost or returned twice; at most
 * `maxKeptBytes` are read ahead, so that the kernel still applies back-pressure.
 */
import { BargeError } from "../../error.ts";
import type { Stream } from "../../net/stream.ts";

const pieceBytes = 2048;
/** Enough for the keep-alives of the longest pause that a client may make (protocol/frame.ts). */
const maxKeptBytes = 128 * 1024;

export class ReadAhead {
  readonly #stream: Pick<Stream, "read">;
  /**
   * The read ahead that is under way. One that found the end or failed stays here, so that every later read
   * has the same result.
   */
  #reading: Promise<number | null> | undefined;
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;

  constructor(stream: Pick<Stream, "read">) {
    this.#stream = stream;
  }

  /** Reads the bytes that were read ahead, then those of the stream: see `Stream.read`. */
  read(into: Uint8Array): Promise<number | null> {
    const ahead = this.#reading || this.#keptBytes > 0;
    return ahead ? this.#takeKept(into) : this.#stream.read(into);
  }

  async #takeKept(into: Uint8Array): Promise<number | null> {
    if (this.#keptBytes === 0 && await this.#keep() === null) return null;
    const [first] = this.#kept;
    const part = first.subarray(0, into.length);
    into.set(part);
    if (part.length === first.length) this.#kept.shift();
    else this.#kept[0] = first.subarray(part.length);
    this.#keptBytes -= part.length;
    return part.length;
  }

  /**
   * Waits, and reads ahead meanwhile.
   *
   * @param ms milliseconds
   * @param ended ends the wait when it is aborted
   * @throws {BargeError} `unavailable` as soon as the peer ends its side; as `Stream.read`
   */
  async pause(ms: number, ended: AbortSignal): Promise<void> {
    ended.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => reject(ended.reason);
    const timer = setTimeout(resolve, ms);
    ended.addEventListener("abort", stop);
    if (this.#keptBytes === 0) {
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
    return this.#keptBytes >= maxKeptBytes ? 0 : await this.#keep();
  }

  /** Waits for the read ahead, and begins it if none is under way. */
  #keep(): Promise<number | null> {
    return this.#reading ??= this.#readPiece();
  }

  async #readPiece(): Promise<number | null> {
    const piece = new Uint8Array(pieceBytes);
    const n = await this.#stream.read(piece);
    if (n === null) return null;
    this.#kept.push(piece.slice(0, n));
    this.#keptBytes += n;
    this.#reading = undefined;
    return n;
  }
}
