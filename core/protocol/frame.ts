/**
 * Framing of BARGE/1: bytes to events and back, with no I/O and no knowledge of verbs.
 *
 * A stream is a sequence of frames: a 4-byte big-endian length, then that many bytes of UTF-8 JSON,
 * always one object. A frame whose `body` field is a number is followed by exactly that many raw
 * bytes; one whose `body` is `"chunked"` by chunks, each a 4-byte big-endian length and its bytes,
 * ended by a length of zero. Nothing is escaped. If the frame has `pauses`, a length of 2^32-1 is a
 * keep-alive, with no bytes after it.
 *
 * States: head -> json -> (head | raw | chunk head <-> chunk). The decoder holds at most one
 * incomplete frame (64 KiB and its head); bodies pass through as views on the input.
 */
import { BargeError } from "../error.ts";

/** The most bytes of JSON that one frame carries. */
export const maxFrame = 64 * 1024;

/** The most bytes of JSON that one frame carries before the login. */
export const maxFrameBeforeLogin = 4 * 1024;

/** The body that follows a frame: none, that many raw bytes, or chunks. */
export type Body = number | "chunked" | undefined;

/** A frame's JSON, not yet checked against a verb's schema. */
export type FrameValue = { readonly [field: string]: unknown };

/** The decoder's events: a frame; a piece of its body, or a keep-alive in it; the body's end. */
export type FrameEvent =
  | { readonly type: "frame"; readonly value: FrameValue; readonly body: Body }
  | { readonly type: "data"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: "alive" }
  | { readonly type: "end" };

type State = "head" | "json" | "raw" | "chunk-head" | "chunk";

/** Other protocols, by the first four bytes of a server. */
const otherProtocols: { readonly [start: string]: string } = {
  "HTTP": "HTTP",
  "SSH-": "SSH",
  "220 ": "FTP",
  "220-": "FTP",
};

const nothing: Uint8Array<ArrayBuffer> = new Uint8Array(0);
const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Encodes one frame. Fields that are undefined are left out, as in JSON.
 *
 * @param value the frame's fields; `body` describes the bytes that follow
 * @returns head and JSON
 * @throws {BargeError} `protocol` if the JSON is longer than {@link maxFrame}
 *
 * @example
 * ```ts
 * import { encodeFrame } from "./frame.ts";
 * const bytes = encodeFrame({ verb: "ping" });
 * if (bytes[3] !== 15 || bytes.length !== 19) throw new Error();
 * ```
 */
export function encodeFrame(value: object): Uint8Array<ArrayBuffer> {
  const json = encoder.encode(JSON.stringify(value));
  if (json.length > maxFrame) {
    throw new BargeError("protocol", `frame of ${json.length} bytes, at most ${maxFrame} fit`);
  }
  const bytes = new Uint8Array(4 + json.length);
  new DataView(bytes.buffer).setUint32(0, json.length);
  bytes.set(json, 4);
  return bytes;
}

/**
 * Encodes the head of one chunk of a chunked body; a length of 0 ends the body.
 *
 * @param length of the chunk that follows, in bytes, below 2^32
 * @throws {RangeError} for any other length
 */
export function encodeChunkHead(length: number): Uint8Array<ArrayBuffer> {
  if (!Number.isInteger(length) || length < 0 || length > 0xffffffff) {
    throw new RangeError(`a chunk can't have ${length} bytes`);
  }
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, length);
  return head;
}

/** The chunk length that stands for a keep-alive, in a body whose frame has `pauses`. No bytes follow it. */
export const aliveChunkLength = 0xffffffff;

/**
 * Decodes a stream: push the received bytes, then take events until `next` returns undefined.
 *
 * After an error every call fails, since the position in the stream is lost.
 *
 * @example
 * ```ts
 * import { Decoder, encodeFrame } from "./frame.ts";
 * const decoder = new Decoder();
 * decoder.push(encodeFrame({ verb: "ping" }));
 * const event = decoder.next();
 * if (event?.type !== "frame" || event.value.verb !== "ping") throw new Error();
 * if (decoder.next() !== undefined) throw new Error();
 * ```
 */
export class Decoder {
  #input = nothing;
  #state: State = "head";
  /** Missing bytes of the current head, JSON, raw body or chunk. */
  #missing = 4;
  /** A head or JSON that arrived in pieces. */
  #partial: Uint8Array<ArrayBuffer> | undefined;
  #partialLength = 0;
  /** True if the body has ended, and its `end` event was not taken yet. */
  #ended = false;
  /** True if keep-alives may come between the chunks of this body. */
  #pauses = false;
  #failed: BargeError | undefined;
  /** The most bytes of JSON in a frame. A change applies from the next head on. */
  limit = maxFrame;

  /** Returns whether the decoder is between frames, where the stream may end. */
  get idle(): boolean {
    return this.#state === "head" && !this.#partial && this.#input.length === 0 && !this.#ended;
  }

  /**
   * Adds received bytes, after all earlier events were taken. A failed decoder drops them.
   *
   * @param bytes kept until its events are taken; `data` events are views on it
   * @throws {RangeError} if events of the earlier input are left
   */
  push(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#input.length > 0) throw new RangeError("push before the last input was drained");
    if (!this.#failed) this.#input = bytes;
  }

  /**
   * Returns the next event; undefined if more input is needed.
   *
   * @throws {BargeError} `protocol` for a length over the limit, and for JSON that is invalid or not
   *   an object
   */
  next(): FrameEvent | undefined {
    if (this.#failed) throw this.#failed;
    if (this.#ended) {
      this.#ended = false;
      return { type: "end" };
    }
    while (this.#input.length > 0) {
      if (this.#state === "raw" || this.#state === "chunk") return this.#data();
      const unit = this.#unit();
      if (!unit) return undefined;
      if (this.#state === "json") return this.#frame(unit);
      const length = new DataView(unit.buffer, unit.byteOffset, 4).getUint32(0);
      if (this.#state === "chunk-head") {
        if (length === 0) {
          this.#expect("head", 4);
          return { type: "end" };
        }
        if (this.#pauses && length === aliveChunkLength) {
          this.#expect("chunk-head", 4);
          return { type: "alive" };
        }
        this.#expect("chunk", length);
      } else if (length === 0 || length > this.limit) {
        const other = otherProtocols[String.fromCharCode(...unit)];
        if (other) {
          throw this.#fail(
            `that port speaks ${other}`,
            "barge's own port is 7171 unless `serve --native` names another",
          );
        }
        throw this.#fail(`frame of ${length} bytes, 1 to ${this.limit} are allowed`);
      } else {
        this.#expect("json", length);
      }
    }
    return undefined;
  }

  /** Returns a complete head or JSON, copied only if it came in pieces; undefined until all of it is there. */
  #unit(): Uint8Array<ArrayBuffer> | undefined {
    if (!this.#partial && this.#input.length >= this.#missing) return this.#take(this.#missing);
    this.#partial ??= new Uint8Array(this.#missing);
    const piece = this.#take(this.#partial.length - this.#partialLength);
    this.#partial.set(piece, this.#partialLength);
    this.#partialLength += piece.length;
    if (this.#partialLength < this.#partial.length) return undefined;
    const unit = this.#partial;
    this.#partial = undefined;
    this.#partialLength = 0;
    return unit;
  }

  #data(): FrameEvent {
    const bytes = this.#take(this.#missing);
    this.#missing -= bytes.length;
    if (this.#missing === 0) {
      this.#ended = this.#state === "raw";
      this.#expect(this.#ended ? "head" : "chunk-head", 4);
    }
    return { type: "data", bytes };
  }

  #frame(json: Uint8Array<ArrayBuffer>): FrameEvent {
    let value: unknown;
    try {
      value = JSON.parse(strict.decode(json));
    } catch {
      throw this.#fail("frame is not JSON in UTF-8");
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw this.#fail("frame is not a JSON object");
    }
    const body = (value as FrameValue).body as Body;
    if (body === undefined || body === 0) {
      this.#ended = body === 0;
      this.#expect("head", 4);
    } else if (body === "chunked") {
      this.#pauses = (value as FrameValue).pauses === true;
      this.#expect("chunk-head", 4);
    } else if (Number.isSafeInteger(body) && body > 0) {
      this.#expect("raw", body);
    } else {
      throw this.#fail('body must be a size in bytes or "chunked"');
    }
    return { type: "frame", value: value as FrameValue, body };
  }

  /** Takes at most `length` bytes of the input. */
  #take(length: number): Uint8Array<ArrayBuffer> {
    const piece = this.#input.subarray(0, length);
    this.#input = length < this.#input.length ? this.#input.subarray(length) : nothing;
    return piece;
  }

  #expect(state: State, missing: number): void {
    this.#state = state;
    this.#missing = missing;
  }

  #fail(why: string, hint?: string): BargeError {
    this.#input = nothing;
    this.#failed = new BargeError("protocol", why, { op: "decode", hint });
    return this.#failed;
  }
}
