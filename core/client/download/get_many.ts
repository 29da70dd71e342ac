/**
 * Downloads small files, several with one request, which is sent when their sizes fill it. The files are
 * passed on one by one after the whole answer has arrived. One caller at a time.
 */
import { BargeError, typed } from "../../error.ts";
import { errorFromWire } from "../../protocol/failure.ts";
import { type Answer, parseBodyFrame } from "../../protocol/message.ts";
import type { FrameReader } from "../../protocol/reader.ts";
import type { Client } from "../client.ts";
import { hashSmall } from "../transfer/small_hash.ts";
import { pipeline, type Window } from "../transfer/window.ts";
import { Batches, batchRequest, maxSmallBytes, sumBytes } from "./batches.ts";
import { digestMismatch } from "./receive.ts";

export interface SmallFileRequest {
  readonly path: string;
  readonly local: string;
  /** The listed size, in bytes. */
  readonly size: number;
  /** True if the server stored a digest when the file was written. */
  readonly stored: boolean;
}

/** A complete small file, whose digest was compared. */
export interface SmallFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly modified: string;
  readonly sha256: string;
}

interface GetManyEvents {
  /** Writes the file; an exception is the file's failure. */
  received(request: SmallFileRequest, file: SmallFile): Promise<void>;
  /** The file is too large for a shared answer, and must be requested alone later. */
  grown(request: SmallFileRequest): void;
  failed(request: SmallFileRequest, cause: unknown): void;
}

export class GetMany {
  readonly #client: Client;
  readonly #window: Window;
  readonly #events: GetManyEvents;
  readonly #batches: Batches<SmallFileRequest>;

  constructor(client: Client, window: Window, events: GetManyEvents) {
    this.#client = client;
    this.#window = window;
    this.#events = events;
    this.#batches = new Batches(client.hello.many ?? { files: 0, bytes: 0 });
  }

  /** The most bytes of a small file; negative: the server has no shared answers. */
  get maxFileBytes(): number {
    const { many } = this.#client.hello;
    return many ? maxSmallBytes(many) : -1;
  }

  /** Adds a file of at most {@link maxFileBytes} bytes, and sends the requests that are complete. */
  async add(file: SmallFileRequest): Promise<void> {
    for (const files of this.#batches.add(file)) await this.#request(files);
  }

  /** Requests the gathered files. */
  async send(): Promise<void> {
    await this.#request(this.#batches.take());
  }

  async #request(files: readonly SmallFileRequest[]): Promise<void> {
    if (files.length === 0) return;
    const request = batchRequest(files);
    const turn = (frames: FrameReader) => this.#receive(frames, files.length);
    await pipeline(this.#client, this.#window, request, turn, {
      count: files.length,
      bytes: sumBytes(files),
      done: ({ answer, bytes }) => this.#handOver(files, answer, bytes),
      failed: (cause) => files.forEach((file) => this.#events.failed(file, typed(cause))),
    });
  }

  async #receive(frames: FrameReader, count: number) {
    const answer = await this.#client.next("get-many", frames);
    const { files, body } = answer;
    let sum = 0;
    for (const file of files) if (file && "size" in file) sum += file.size;
    if (files.length !== count || sum !== body || body > this.#client.hello.many!.bytes) {
      throw new BargeError("protocol", `${files.length} files of ${body} bytes do not fit`);
    }
    const bytes = await frames.whole(body);
    const trailer = await frames.frame();
    if (!trailer) throw new BargeError("unavailable", "the server closed the connection");
    parseBodyFrame("trailer", trailer.value);
    return { answer, bytes };
  }

  async #handOver(
    files: readonly SmallFileRequest[],
    answer: Answer<"get-many">,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    let end = 0;
    await Promise.all(files.map(async (file, i) => {
      const facts = answer.files[i];
      if (facts === null) return this.#events.grown(file);
      try {
        if ("error" in facts) throw errorFromWire(facts.error);
        const begin = end;
        end += facts.size;
        const own = bytes.subarray(begin, end);
        if (await hashSmall(own) !== facts.sha256) throw digestMismatch();
        await this.#events.received(file, { bytes: own, ...facts });
      } catch (cause) {
        this.#events.failed(file, cause);
      }
    }));
  }
}
