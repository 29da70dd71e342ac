/**
 * Reads frames and bodies from anything that can be read into a buffer.
 *
 * It starts with small buffers, so that an idle connection costs little, and borrows large ones as
 * soon as a small one comes back full. Two of each, used in turn, so that the piece of a body that
 * was just handed out stays valid while the next one is read: whoever writes it to disk can do both
 * at once. When a read starts between two frames, the large ones go back, unless the last was filled,
 * and the second small one is dropped: a connection that waits for its next request holds one small
 * buffer, and nothing else.
 */
import { BargeError } from "../error.ts";
import { abandon, borrow, giveBack } from "../disk/buffer_pool.ts";
import { type Body, Decoder, type FrameEvent, type FrameValue } from "./frame.ts";

/** Where bytes come from: a net Stream, or an array in a test. */
export interface Source {
  read(into: Uint8Array): Promise<number | null>;
}

/** A frame, and what follows it. */
export interface Frame {
  readonly value: FrameValue;
  readonly body: Body;
}

/** Most requests fit in it. */
const small = 512;

export class FrameReader implements Disposable {
  readonly #source: Source;
  readonly #decoder = new Decoder();
  readonly #first = new Uint8Array(small);
  #second: Uint8Array<ArrayBuffer> | undefined;
  #large: [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>] | undefined;
  #turn = 0;
  #full = false;
  #reading = false;
  /** An event that {@link buffered} found, not yet taken. */
  #ahead: FrameEvent | undefined;

  constructor(source: Source) {
    this.#source = source;
  }

  /** The most bytes of JSON that a frame may carry, of those that are not begun. */
  set limit(bytes: number) {
    this.#decoder.limit = bytes;
  }

  /** Is nothing half read, and nothing left to be taken? */
  get idle(): boolean {
    return !this.#ahead && this.#decoder.idle;
  }

  /**
   * The next frame, or null when the stream ends between two frames.
   *
   * @throws {BargeError} `protocol` for what is no frame, and for a body where a frame was due;
   *   `unavailable` when the stream ends inside a frame; whatever the source throws
   */
  frame(): Promise<Frame | null> {
    return this.#next("frame") as Promise<Frame & FrameEvent | null>;
  }

  /**
   * The body behind the last frame, piece by piece. It must be read to its end before the next
   * frame. A piece is valid until the second piece after it, or the next frame, is asked for: one
   * write may be under way while the next piece is read, and none when the next frame is.
   *
   * @param alive called for each sign of life in the body
   * @throws {BargeError} `unavailable` when the stream ends inside the body
   */
  async *body(alive?: () => void): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    while (true) {
      const event = await this.#next("body");
      if (event === null) throw new BargeError("unavailable", "the connection was cut");
      if (event.type === "alive") alive?.();
      else if (event.type === "data") yield event.bytes;
      else return;
    }
  }

  /** All of a small body behind the last frame, of so many bytes. @throws as {@link body} */
  async whole(size: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(size);
    let filled = 0;
    for await (const piece of this.body()) {
      bytes.set(piece, filled);
      filled += piece.length;
    }
    return bytes;
  }

  /** Reads the body behind the last frame and throws it away. */
  async skip(): Promise<void> {
    for await (const _ of this.body()) { /* it was not wanted */ }
  }

  /**
   * Can the next frame, or the next of a body, be had without waiting for the peer? If not, what
   * was written must be flushed now: the peer may wait for it. Half a frame does not count.
   */
  get buffered(): boolean {
    try {
      this.#ahead ??= this.#decoder.next();
    } catch {
      return true; // the failure, which frame() or body() will throw again
    }
    return this.#ahead !== undefined;
  }

  /**
   * Gives the buffers back. Cut inside a body or a read, someone may still use them: then they are
   * left to the collector.
   */
  [Symbol.dispose](): void {
    this.#large?.forEach(!this.#reading && this.#decoder.idle ? giveBack : abandon);
    this.#large = undefined;
  }

  /** @returns null when the stream ends between two frames */
  async #next(due: "frame" | "body"): Promise<FrameEvent | null> {
    while (true) {
      const event = this.#ahead ?? this.#decoder.next();
      this.#ahead = undefined;
      if (event) {
        if ((event.type === "frame") === (due === "frame")) return event;
        const other = due === "frame" ? "body" : "frame";
        throw new BargeError("protocol", `a ${other} where a ${due} was due`);
      }
      const idle = this.#decoder.idle;
      const buffer = this.#buffer(idle);
      let n: number | null;
      this.#reading = true;
      try {
        n = await this.#source.read(buffer);
      } finally {
        this.#reading = false;
      }
      if (n === null) {
        if (idle) return null;
        throw new BargeError("unavailable", "the connection was cut");
      }
      this.#full = n === buffer.length;
      this.#decoder.push(buffer.subarray(0, n));
    }
  }

  #buffer(idle: boolean): Uint8Array<ArrayBuffer> {
    if (idle && !this.#full) {
      this[Symbol.dispose]();
      this.#second = undefined;
      this.#turn = 1;
    }
    if (this.#full) this.#large ??= [borrow(), borrow()];
    this.#turn ^= 1;
    if (this.#large) return this.#large[this.#turn];
    return this.#turn === 0 ? this.#first : this.#second ??= new Uint8Array(small);
  }
}
