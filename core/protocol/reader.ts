/**
 * Reads frames and bodies from any source that fills a buffer.
 *
 * The reader begins with small buffers, and borrows large ones when a small one was filled. Two of
 * each are used in turn, so that a piece of a body stays valid while the next one is read. A read
 * between two frames returns the large buffers, unless the last one was filled, and drops the second
 * small one: an idle connection holds one small buffer.
 */
import { BargeError } from "../error.ts";
import { abandon, borrow, giveBack } from "../disk/buffer_pool.ts";
import { Decoder, type FrameEvent } from "./frame.ts";

/** A source of bytes, for instance a connection. */
export interface Source {
  read(into: Uint8Array): Promise<number | null>;
}

/** A frame, and the kind of body that follows it. */
export type Frame = Omit<Extract<FrameEvent, { type: "frame" }>, "type">;

/** Most requests fit into a small buffer. */
const smallBufferBytes = 512;

export class FrameReader implements Disposable {
  readonly #source: Source;
  readonly #decoder = new Decoder();
  readonly #first = new Uint8Array(smallBufferBytes);
  #second: Uint8Array<ArrayBuffer> | undefined;
  #large: [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>] | undefined;
  #turn = 0;
  #full = false;
  #reading = false;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Sets the most bytes of JSON in a frame, for frames that have not begun. */
  set limit(bytes: number) {
    this.#decoder.limit = bytes;
  }

  /** Returns whether no frame or body is partly read. */
  get idle(): boolean {
    return this.#decoder.idle;
  }

  /**
   * Reads the next frame.
   *
   * @returns null if the stream ends between two frames
   * @throws {BargeError} `protocol` for an invalid frame, and for a body in place of a frame;
   *   `unavailable` if the stream ends inside a frame; the error of the source
   */
  frame(): Promise<Frame | null> {
    return this.#next("frame") as Promise<Frame & FrameEvent | null>;
  }

  /**
   * Reads the body after the last frame, piece by piece, to its end. A piece stays valid until the
   * second piece after it, or the next frame, is requested: it may be written while the next piece
   * is read.
   *
   * @param alive called for each keep-alive in the body
   * @throws {BargeError} `unavailable` if the stream ends inside the body
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

  /** Reads the whole body after the last frame, of `size` bytes. @throws as {@link body} */
  async whole(size: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(size);
    let filled = 0;
    for await (const piece of this.body()) {
      bytes.set(piece, filled);
      filled += piece.length;
    }
    return bytes;
  }

  /** Reads and drops the body after the last frame. */
  async skip(): Promise<void> {
    for await (const _ of this.body()) { /* dropped */ }
  }

  /**
   * Returns the large buffers to the pool. Inside a body or a read they may still be in use: then the
   * garbage collector frees them.
   */
  [Symbol.dispose](): void {
    this.#large?.forEach(!this.#reading && this.#decoder.idle ? giveBack : abandon);
    this.#large = undefined;
  }

  /** @returns null if the stream ends between two frames */
  async #next(due: "frame" | "body"): Promise<FrameEvent | null> {
    while (true) {
      const event = this.#decoder.next();
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
    return this.#turn === 0 ? this.#first : this.#second ??= new Uint8Array(smallBufferBytes);
  }
}
