/**
 * Small files down, many with one request: asked for when there are enough, handed over when all of
 * an answer is there.
 *
 *   (none) -> gathering -> asked for -> arrived, each file by itself
 *
 * What is asked for and not yet kept is bounded by the window. One caller at a time.
 */
import { BargeError, typed } from "../../error.ts";
import { encodeFrame, maxFrame } from "../../protocol/frame.ts";
import { failureOf } from "../../protocol/failure.ts";
import { type Answer, parseOther } from "../../protocol/message.ts";
import type { FrameReader } from "../../protocol/reader.ts";
import { type Client, diskPatience } from "../client.ts";
import { otherBytes } from "./receive.ts";
import { hashSmall } from "../transfer/small_hash.ts";
import type { Window } from "../transfer/window.ts";

/** So many bytes of files are worth a request. */
const enough = 256 * 1024;
/** A character of a path takes at most so many bytes in the request. */
const escaped = 6;

/** A file that is wanted. */
export interface Wanted {
  readonly path: string;
  readonly local: string;
  /** As far as is known, in bytes. */
  readonly size: number;
  /** True if the server stored a digest when the file was written. */
  readonly stored: boolean;
}

/** A file that has come, and is what the server has. */
export interface Come {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly modified: string;
  readonly sha256: string;
}

/** Who takes them. */
export interface Taker {
  /** Keeps it; a throw is its failure. */
  take(file: Wanted, come: Come): Promise<void>;
  /** It is larger than was known, and is to be fetched alone, when {@link GetMany} is drained. */
  alone(file: Wanted): void;
  failed(file: Wanted, cause: unknown): void;
}

export class GetMany {
  readonly #client: Client;
  readonly #window: Window;
  readonly #taker: Taker;
  #files: Wanted[] = [];
  #bytes = 0;
  #frame = escaped;

  constructor(client: Client, window: Window, taker: Taker) {
    this.#client = client;
    this.#window = window;
    this.#taker = taker;
  }

  /** Files of more bytes are not small. */
  get most(): number {
    const { many } = this.#client.hello;
    return many ? Math.min(enough, many.bytes) : -1;
  }

  /** Asks for a file of at most {@link most} bytes, with others, when there are enough. */
  async add(file: Wanted): Promise<void> {
    const { files, bytes } = this.#client.hello.many!;
    const frame = (file.path.length + 1) * escaped;
    const fits = this.#files.length < files && this.#bytes + file.size <= bytes &&
      this.#frame + frame <= maxFrame;
    if (!fits) await this.send();
    this.#files.push(file);
    this.#bytes += file.size;
    this.#frame += frame;
    if (this.#bytes >= enough) await this.send();
  }

  /** Asks for what is gathered. */
  async send(): Promise<void> {
    if (this.#files.length === 0) return;
    const files = this.#files;
    const bytes = this.#bytes;
    this.#files = [];
    this.#bytes = 0;
    this.#frame = escaped;
    const fail = (cause: unknown) =>
      files.forEach((file) => this.#taker.failed(file, typed(cause)));
    let request;
    try {
      request = encodeFrame({ verb: "get-many", paths: files.map(({ path }) => path) });
    } catch (cause) {
      return fail(cause);
    }
    const weight = request.length + bytes;
    await this.#window.enter(weight, files.length);
    this.#client.answer((frames) => this.#receive(frames, files.length), diskPatience)
      .then(({ answer, bytes }) => this.#handOver(files, answer, bytes), fail)
      .finally(() => this.#window.leave(weight, files.length));
    await this.#client.send(request).catch(() => {/* the answer fails as well */});
  }

  async #receive(
    frames: FrameReader,
    asked: number,
  ): Promise<{ answer: Answer<"get-many">; bytes: Uint8Array<ArrayBuffer> }> {
    const answer = await this.#client.next("get-many", frames);
    const { files, body } = answer;
    let sum = 0;
    for (const file of files) if (file && "size" in file) sum += file.size;
    if (files.length !== asked || sum !== body || body > this.#client.hello.many!.bytes) {
      throw new BargeError("protocol", `${files.length} files of ${body} bytes do not fit`);
    }
    const bytes = await frames.whole(body);
    const trailer = await frames.frame();
    if (!trailer) throw new BargeError("unavailable", "it closed the connection");
    parseOther("trailer", trailer.value);
    return { answer, bytes };
  }

  async #handOver(
    files: readonly Wanted[],
    answer: Answer<"get-many">,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    let end = 0;
    await Promise.all(files.map(async (file, i) => {
      const facts = answer.files[i];
      if (facts === null) return this.#taker.alone(file);
      try {
        if ("error" in facts) throw failureOf(facts.error);
        const begin = end;
        end += facts.size;
        const own = bytes.subarray(begin, end);
        if (await hashSmall(own) !== facts.sha256) throw otherBytes();
        await this.#taker.take(file, { bytes: own, ...facts });
      } catch (cause) {
        this.#taker.failed(file, cause);
      }
    }));
  }
}
