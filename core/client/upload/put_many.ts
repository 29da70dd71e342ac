/**
 * Uploads small files, several with one request: they are read into one buffer, which is sent when
 * it is full enough. Each file has a result of its own. One caller at a time.
 */
import { counted } from "../../counted.ts";
import { BargeError, typed } from "../../error.ts";
import { borrow, giveBack } from "../../disk/buffer_pool.ts";
import { errorFromWire } from "../../protocol/failure.ts";
import { encodeFrame, maxFrame } from "../../protocol/frame.ts";
import type { RequestInput } from "../../protocol/message.ts";
import type { Client } from "../client.ts";
import { onLocal } from "../transfer/local_failure.ts";
import { hashSmall } from "../transfer/small_hash.ts";
import { batchBytes, maxCharBytes, pipeline, type Window } from "../transfer/window.ts";

/** The most bytes that a file's size, time and digest take in the request. */
const maxFactBytes = 256;

/** A file or folder on its way to the server. */
export interface Upload {
  readonly path: string;
  readonly local: string;
  /** The hint if something of another type has the path. */
  readonly hint?: string;
}

/** A small file that was read. */
interface SmallFile extends Upload {
  readonly size: number;
  readonly sha256: string;
  readonly modified: string | undefined;
}

interface PutManyEvents {
  sent(file: SmallFile): void;
  done(file: SmallFile): void;
  failed(file: SmallFile, cause: unknown): void;
}

export class PutMany implements Disposable {
  readonly #client: Client;
  readonly #window: Window;
  readonly #overwrite: "never" | undefined;
  readonly #events: PutManyEvents;
  readonly #buffer = borrow(2 * batchBytes);
  #files: SmallFile[] = [];
  #filled = 0;
  /** The most bytes of the request's frame. */
  #frameBytes = maxFactBytes;

  /** @param overwrite `never`: an existing file is a failure */
  constructor(
    client: Client,
    window: Window,
    overwrite: "never" | undefined,
    events: PutManyEvents,
  ) {
    this.#client = client;
    this.#window = window;
    this.#overwrite = overwrite;
    this.#events = events;
  }

  /** The most bytes of a small file; negative: the server takes no shared requests. */
  get maxFileBytes(): number {
    const { eager, many } = this.#client.hello;
    return many ? Math.min(eager, many.bytes, this.#buffer.length) : -1;
  }

  /**
   * Reads a file of at most {@link maxFileBytes} bytes, and sends the gathered files if they fill a
   * request.
   *
   * @param before the file's facts when it was opened
   * @returns its facts after it was read
   * @throws {BargeError} `changed` if it has become shorter
   */
  async add(file: Deno.FsFile, before: Deno.FileInfo, upload: Upload): Promise<Deno.FileInfo> {
    const { size } = before;
    const frameBytes = upload.path.length * maxCharBytes + maxFactBytes;
    const isRepeated = this.#files.some(({ path }) => path === upload.path);
    if (isRepeated || !this.#fits(size, frameBytes)) await this.send();
    const into = this.#buffer.subarray(this.#filled, this.#filled + size);
    if (!onLocal("read", upload.local, () => readFully(file, into))) {
      throw new BargeError("changed", `it shrank from ${counted(size, "byte")} while it was read`);
    }
    const after = file.statSync();
    const sha256 = await hashSmall(into);
    this.#files.push({ ...upload, size, sha256, modified: before.mtime?.toISOString() });
    this.#filled += size;
    this.#frameBytes += frameBytes;
    if (this.#filled >= Math.min(batchBytes, this.#client.hello.many!.bytes)) await this.send();
    return after;
  }

  /** Sends the gathered files. @returns when the buffer may be used again */
  async send(): Promise<void> {
    if (this.#files.length === 0) return;
    const files = this.#files;
    const body = this.#buffer.subarray(0, this.#filled);
    this.#files = [];
    this.#filled = 0;
    this.#frameBytes = maxFactBytes;
    const request: RequestInput<"put-many"> = {
      verb: "put-many",
      files: files.map(({ path, size, modified, sha256 }) => ({ path, size, modified, sha256 })),
      body: body.length,
      overwrite: this.#overwrite,
    };
    await pipeline(
      this.#client,
      this.#window,
      request,
      (frames) => this.#client.next("put-many", frames),
      {
        count: files.length,
        bytes: body.length,
        body: [body, encodeFrame({ sha256: null, whole: true })],
        sending: () => files.forEach(this.#events.sent),
        done: ({ failed }) => {
          const errors = new Map(failed.map(({ file, error }) => [file, errorFromWire(error)]));
          for (const [i, file] of files.entries()) {
            const error = errors.get(i);
            if (error) this.#events.failed(file, error);
            else this.#events.done(file);
          }
        },
        failed: (cause) => files.forEach((file) => this.#events.failed(file, typed(cause))),
      },
    );
  }

  [Symbol.dispose](): void {
    giveBack(this.#buffer);
  }

  #fits(size: number, frameBytes: number): boolean {
    const { files, bytes } = this.#client.hello.many!;
    return this.#files.length < files && this.#frameBytes + frameBytes <= maxFrame &&
      this.#filled + size <= Math.min(bytes, this.#buffer.length);
  }
}

/** @returns false if the file is too short */
function readFully(file: Deno.FsFile, into: Uint8Array): boolean {
  for (let done = 0; done < into.length;) {
    const n = file.readSync(into.subarray(done));
    if (!n) return false;
    done += n;
  }
  return true;
}
