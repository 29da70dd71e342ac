/**
 * Small files up, many with one request: read into one buffer until there are enough, then sent.
 *
 *   (empty) -> gathering -> sent -> answered, each file by itself
 *
 * What is unanswered is bounded by the window. One caller at a time.
 */
import { BargeError, typed } from "../error.ts";
import { borrow, giveBack } from "../disk/buffer_pool.ts";
import { encodeFrame, maxFrame } from "../protocol/frame.ts";
import { failureOf, type RequestInput } from "../protocol/message.ts";
import { type Client, diskPatience } from "./client.ts";
import { hashSmall } from "./small_hash.ts";
import type { Window } from "./window.ts";

/** So many bytes of files are worth a request. */
const enough = 256 * 1024;
/** The facts of a file take at most so many bytes in the request, beside its path. */
const facts = 256;
/** A character of a path takes at most so many bytes there. */
const escaped = 6;

/** A file that is to be sent. */
export interface Sendable {
  readonly path: string;
  readonly local: string;
  /** What to try when the name is a folder's. */
  readonly hint?: string;
}

/** A file on its way. */
export interface Sending extends Sendable {
  readonly size: number;
  readonly sha256: string;
  readonly modified: string | undefined;
}

/** Who is told what becomes of them. */
export interface Told {
  sent(file: Sending): void;
  done(file: Sending): void;
  failed(file: Sending, cause: unknown): void;
}

export class PutMany implements Disposable {
  readonly #client: Client;
  readonly #window: Window;
  readonly #overwrite: "always" | "never";
  readonly #told: Told;
  readonly #buffer = borrow(2 * enough);
  #files: Sending[] = [];
  #filled = 0;
  /** How long the request's frame is at most. */
  #frame = facts;

  /** @param overwrite `never`: an existing file is a failure */
  constructor(client: Client, window: Window, overwrite: "always" | "never", told: Told) {
    this.#client = client;
    this.#window = window;
    this.#overwrite = overwrite;
    this.#told = told;
  }

  /** Files of more bytes are not small. */
  get most(): number {
    const { eager, many } = this.#client.hello;
    return many ? Math.min(eager, many.bytes, this.#buffer.length) : -1;
  }

  /**
   * Takes a file of at most {@link most} bytes, and sends what was gathered when it is enough.
   *
   * @param file stands at its beginning
   * @returns what `file` was like when it was read
   * @throws {BargeError} `changed` when there are fewer bytes than before
   */
  async add(
    file: Deno.FsFile,
    before: Deno.FileInfo,
    named: Sendable,
  ): Promise<Deno.FileInfo> {
    const { size } = before;
    const frame = named.path.length * escaped + facts;
    const twice = this.#files.some(({ path }) => path === named.path);
    if (twice || !this.#fits(size, frame)) await this.send();
    const into = this.#buffer.subarray(this.#filled, this.#filled + size);
    if (!readFully(file, into)) {
      throw new BargeError("changed", `it shrank from ${size} bytes while it was read`);
    }
    const after = file.statSync();
    const sha256 = await hashSmall(into);
    this.#files.push({ ...named, size, sha256, modified: before.mtime?.toISOString() });
    this.#filled += size;
    this.#frame += frame;
    if (this.#filled >= Math.min(enough, this.#client.hello.many!.bytes)) await this.send();
    return after;
  }

  /** Sends what is gathered; returns when the buffer may be used again. */
  async send(): Promise<void> {
    if (this.#files.length === 0) return;
    const [files, body] = [this.#files, this.#buffer.subarray(0, this.#filled)];
    this.#files = [];
    this.#filled = 0;
    this.#frame = facts;
    const request: RequestInput<"put-many"> = {
      verb: "put-many",
      files: files.map(({ path, size, modified, sha256 }) => ({ path, size, modified, sha256 })),
      body: body.length,
      ...this.#overwrite === "never" && { overwrite: "never" as const },
    };
    const fail = (cause: unknown) => files.forEach((file) => this.#told.failed(file, typed(cause)));
    let frame;
    try {
      frame = encodeFrame(request);
    } catch (cause) {
      return fail(cause);
    }
    const weight = frame.length + body.length;
    await this.#window.enter(weight, files.length);
    for (const file of files) this.#told.sent(file);
    this.#client.answer((frames) => this.#client.next("put-many", frames), diskPatience)
      .then(({ failed }) => {
        const errors = new Map(failed.map(({ file, error }) => [file, failureOf(error)]));
        for (const [i, file] of files.entries()) {
          const error = errors.get(i);
          if (error) this.#told.failed(file, error);
          else this.#told.done(file);
        }
      }, fail)
      .finally(() => this.#window.leave(weight, files.length));
    const trailer = encodeFrame({ sha256: null, whole: true });
    await this.#client.send(frame, body, trailer).catch(() => {/* the answer fails as well */});
  }

  [Symbol.dispose](): void {
    giveBack(this.#buffer);
  }

  #fits(size: number, frame: number): boolean {
    const { files, bytes } = this.#client.hello.many!;
    return this.#files.length < files && this.#frame + frame <= maxFrame &&
      this.#filled + size <= Math.min(bytes, this.#buffer.length);
  }
}

/** @returns false when the file ends before */
function readFully(file: Deno.FsFile, into: Uint8Array): boolean {
  for (let done = 0; done < into.length;) {
    const n = file.readSync(into.subarray(done));
    if (!n) return false;
    done += n;
  }
  return true;
}
