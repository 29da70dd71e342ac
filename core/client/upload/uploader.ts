/**
 * Puts files and folders over one connection, many at once on their way.
 *
 * Small files go many with one request (put_many.ts), without waiting: what is unanswered is bounded
 * by a window. Larger ones ask first where to go on. One caller at a time; answers are reported as
 * they come.
 */
import { BargeError, typed } from "../../error.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import type { Answer, Answered } from "../../protocol/message.ts";
import { type Client, diskPatience } from "../client.ts";
import type { Report, TransferResult } from "../transfer/events.ts";
import { PutMany } from "./put_many.ts";
import type { Content, Upload } from "./send.ts";
import { Window } from "../transfer/window.ts";

const window = { count: 256, bytes: 1024 * 1024 };
/** What to try when a connection broke. */
export const again = "run the same command again to resume";

export interface UploadOptions {
  /** False: no digest of large files is computed on this side. */
  readonly verify?: boolean;
  /** Have the server refuse to replace a file. */
  readonly noClobber?: boolean;
}

export class Uploader implements Disposable {
  readonly #client: Client;
  readonly #report: Report;
  readonly #window: Window;
  readonly #verify: boolean;
  readonly #overwrite: "always" | "never";
  readonly #many: PutMany;

  constructor(client: Client, report: Report, options: UploadOptions = {}) {
    this.#client = client;
    this.#window = new Window(window.count, window.bytes, () => client.flush());
    this.#report = report;
    this.#verify = options.verify ?? true;
    this.#overwrite = options.noClobber ? "never" : "always";
    this.#many = new PutMany(client, this.#window, this.#overwrite, {
      sent: ({ path, local, size }) => report.start(path, local, size),
      done: ({ path, local, size, sha256 }) => {
        report.bytes(size);
        report.done(result(path, local, size, sha256));
      },
      failed: ({ path, local, size, hint }, cause) =>
        report.failed(path, local, explain(cause, path, hint), size),
    });
  }

  /**
   * Sends a local file; what becomes of it is reported, now or when it is answered.
   *
   * @param hint what to try when the name is a folder's
   */
  async file(local: string, path: string, hint?: string): Promise<void> {
    const fail = (cause: unknown, size = 0) => {
      this.#report.failed(path, local, explain(cause, path, hint), size);
    };
    try {
      if (this.#client.closed) throw this.#client.closed;
      using file = Deno.openSync(local);
      const facts = file.statSync();
      if (!facts.isFile) throw new BargeError("changed", "it is no file any more");
      if (facts.size === 0) refuseHidden(file, local);
      if (facts.size <= this.#many.most) {
        this.#compare(facts, await this.#many.add(file, facts, { local, path, hint }), local);
      } else {
        await this.#many.send();
        await this.#large(file, facts, local, path, fail);
      }
    } catch (cause) {
      fail(cause);
    }
  }

  /** Sends standard input, of which only its end tells the size. */
  async stream(input: Content, path: string, hint?: string): Promise<void> {
    let size = 0;
    const progress = {
      start: () => this.#report.start(path, "-", null),
      bytes: (count: number) => {
        size += count;
        this.#report.bytes(count);
      },
    };
    try {
      const { send } = await import("./send.ts");
      const { answer } = await send(
        this.#client,
        { path, size: null, verify: true, overwrite: this.#overwrite },
        input,
        progress,
      );
      const { sha256 } = await answer;
      this.#report.done(result(path, "-", size, sha256));
    } catch (cause) {
      this.#report.failed(path, "-", explain(cause, path, hint), size);
    }
  }

  /**
   * Makes a folder; only a failure is reported.
   *
   * @param hint what to try when the name is a file's
   */
  async folder(path: string, local: string, hint?: string): Promise<void> {
    await this.#pipeline("mkdir", { verb: "mkdir", path, parents: true }, (cause) => {
      this.#report.failed(path, local, explain(cause, path, hint));
    });
  }

  /** Gives a folder its time; what can't be done about that is no failure. */
  async folderTime(path: string, time: number): Promise<void> {
    const modified = new Date(time).toISOString();
    const request = { verb: "mkdir", path, parents: true, modified };
    await this.#many.send(); // what is put into it changes its time
    await this.#pipeline("mkdir", request, () => {/* its files are what was asked for */});
  }

  /**
   * Removes the file or folder at a remote name.
   *
   * @param local the local name that corresponds to it
   */
  async remove(path: string, local: string, recursive: boolean): Promise<void> {
    await this.#many.send();
    await this.#pipeline("remove", { verb: "remove", path, recursive }, (cause) => {
      if (cause instanceof BargeError && cause.kind === "not-found") return;
      this.#report.failed(path, local, explain(cause, path));
    }, () => this.#report.removed(path, local));
  }

  /**
   * Removes the file or folder at a remote name, and waits for the answer.
   *
   * @throws {BargeError} the failure that the server answered
   */
  async clear(path: string, local: string, recursive: boolean): Promise<void> {
    await this.drained();
    await this.#client.ask("remove", { path, recursive }, diskPatience);
    this.#report.removed(path, local);
  }

  /** Waits until all is answered. */
  async drained(): Promise<void> {
    await this.#many.send();
    await this.#client.flush().catch(() => {/* whoever waits for an answer is told */});
    await this.#window.drained();
  }

  [Symbol.dispose](): void {
    this.#many[Symbol.dispose]();
  }

  /** A file that asks first where to go on. */
  async #large(
    file: Deno.FsFile,
    before: Deno.FileInfo,
    local: string,
    path: string,
    fail: (cause: unknown, size: number) => void,
  ): Promise<void> {
    const { size } = before;
    const modified = before.mtime ?? undefined;
    const [verify, overwrite] = [this.#verify, this.#overwrite];
    const upload: Upload = { path, size, modified, verify, overwrite };
    const progress = {
      start: (offset: number) => this.#report.start(path, local, size, offset),
      bytes: (count: number) => this.#report.bytes(count),
    };
    const content: Content = { read: (into) => file.read(into), file };
    const { send } = await import("./send.ts");
    const once = async () => {
      const sent = await send(this.#client, upload, content, progress);
      this.#compare(before, file.statSync(), local);
      return sent;
    };
    try {
      const { answer, offset } = await once();
      const done = ({ sha256 }: Answer<"put">) =>
        this.#report.done({
          ...result(path, local, size, sha256),
          status: offset > 0 ? "resumed" : "sent",
          offset,
        });
      if (offset === 0) {
        // The next file need not wait until this one is on the server's disk.
        await this.#window.enter(0);
        answer.then(done, (cause) => fail(cause, size)).finally(() => this.#window.leave(0));
        return;
      }
      const error = await answer.then(done, (cause: unknown) => cause);
      if (!(error instanceof Error)) return;
      if (!(error instanceof BargeError) || error.kind !== "digest") throw error;
      // What the server had was not ours after all, and it has dropped it: from the beginning.
      await file.seek(0, Deno.SeekMode.Start);
      const second = await once();
      const { sha256 } = await second.answer;
      this.#report.done(result(path, local, size, sha256));
    } catch (cause) {
      fail(cause, size);
    }
  }

  /** Was the file written to meanwhile? Then what was sent is how it was at its start. */
  #compare(before: Deno.FileInfo, after: Deno.FileInfo, local: string): void {
    if (after.size > before.size) {
      this.#report.note(
        `${local} grew while it was sent; sent as of its start, ${before.size} bytes`,
      );
    } else if (after.size === before.size && +(after.mtime ?? 0) !== +(before.mtime ?? 0)) {
      this.#report.note(`${local} changed while it was sent; sent as it was read`);
    }
  }

  async #pipeline(
    verb: "mkdir" | "remove",
    request: object,
    fail: (cause: unknown) => void,
    done = () => {},
  ): Promise<void> {
    let frame;
    try {
      frame = encodeFrame(request);
    } catch (cause) {
      return fail(cause);
    }
    await this.#window.enter(frame.length);
    this.#expect(verb, frame.length, done, fail);
    await this.#client.send(frame).catch(() => {/* the answer fails as well */});
  }

  #expect(
    verb: Answered,
    weight: number,
    done: () => void,
    fail: (cause: unknown) => void,
  ): void {
    this.#client.answer((frames) => this.#client.next(verb, frames), diskPatience)
      .then(done, fail)
      .finally(() => this.#window.leave(weight));
  }
}

/** What a failure means to whoever asked for the transfer. */
export function explain(cause: unknown, path: string, hint?: string): BargeError {
  const error = typed(cause, { op: "put", path });
  // The local disk is only read, so the full one is the server's.
  if (error.kind === "no-space") {
    return error.with({ hint: "the server's disk is full; its operator has to make room" });
  }
  if (error.kind === "exists") return error.with({ hint });
  return error.kind === "unavailable" ? error.with({ hint: again }) : error;
}

/** @throws {BargeError} `usage` for what only seems empty */
function refuseHidden(file: Deno.FsFile, path: string): void {
  if (!file.readSync(new Uint8Array(1)) || file.statSync().size > 0) return;
  throw new BargeError("usage", "it has bytes, though its size is 0", {
    path,
    hint: "`put -` takes what a program such as cat writes",
  });
}

function result(path: string, local: string, size: number, sha256: string): TransferResult {
  return { path, local, size, sha256, status: "sent", offset: 0, error: null };
}
