/**
 * Uploads files and folders over one connection. Small files share requests (put_many.ts) and are
 * sent without waiting; a large file waits for the offset where it resumes. Results are reported as
 * answers arrive. One caller at a time.
 */
import { counted } from "../../counted.ts";
import { BargeError, typed } from "../../error.ts";
import type { RequestInput } from "../../protocol/message.ts";
import { type Client, diskTimeoutMs, type Turn } from "../client.ts";
import type { Report } from "../transfer/events.ts";
import { withResumeHint } from "../transfer/failure.ts";
import { localFailure, onLocal } from "../transfer/local_failure.ts";
import type { TransferOptions } from "../transfer/options.ts";
import { pipeline, Window } from "../transfer/window.ts";
import { PutMany, type Upload } from "./put_many.ts";
import type { Content } from "./send.ts";

const maxUnansweredRequests = 2048;
const maxUnansweredBytes = 8 * 1024 * 1024;

export class Uploader implements Disposable {
  readonly #client: Client;
  readonly #report: Report;
  readonly #window: Window;
  readonly #verify: boolean;
  readonly #overwrite: "never" | undefined;
  readonly #many: PutMany;

  constructor(
    client: Client,
    report: Report,
    options: Pick<TransferOptions, "verify" | "noClobber"> = {},
  ) {
    this.#client = client;
    this.#window = new Window(maxUnansweredRequests, maxUnansweredBytes, () => client.flush());
    this.#report = report;
    this.#verify = options.verify ?? true;
    this.#overwrite = options.noClobber ? "never" : undefined;
    this.#many = new PutMany(client, this.#window, this.#overwrite, {
      sent: ({ path, local, size }) => report.start(path, local, size),
      done: (file) => {
        report.bytes(file.size);
        this.#done(file, file.size, file.sha256);
      },
      failed: (file, cause) => this.#failed(file, cause, file.size),
    });
  }

  /**
   * Uploads a local file. Its result is reported now, or when the answer arrives.
   *
   * @param hint the hint if the path is a folder's
   */
  async file(local: string, path: string, hint?: string): Promise<void> {
    const upload = { local, path, hint: this.#hintOnTaken(hint) };
    let size = 0;
    try {
      if (this.#client.closed) throw this.#client.closed;
      using file = onLocal("read", local, () => Deno.openSync(local));
      const facts = file.statSync();
      if (!facts.isFile) throw new BargeError("changed", "it is no file any more");
      if (facts.size === 0) refuseHidden(file, local);
      if (facts.size <= this.#many.maxFileBytes) {
        this.#noteChange(facts, await this.#many.add(file, facts, upload), local);
      } else {
        size = facts.size;
        await this.#many.send();
        await this.#large(file, facts, upload);
      }
    } catch (cause) {
      this.#failed(upload, cause, size);
    }
  }

  /** Uploads standard input, whose size is known only at its end. */
  async stream(input: Content, path: string, hint?: string): Promise<void> {
    const upload = { local: "-", path, hint: this.#hintOnTaken(hint) };
    const content = {
      ...input,
      read: (into: Uint8Array) =>
        input.read(into)
          .catch((cause) => Promise.reject(localFailure("read", "standard input", cause))),
    };
    let size = 0;
    const start = () => this.#report.start(path, "-", null);
    const bytes = (count: number) => {
      size += count;
      this.#report.bytes(count);
    };
    const request = { path, size: null, verify: true, overwrite: this.#overwrite };
    try {
      const { send } = await import("./send.ts");
      const { answer } = await send(this.#client, request, content, { start, bytes });
      const { sha256 } = await answer;
      this.#done(upload, size, sha256);
    } catch (cause) {
      this.#failed(upload, cause, size);
    }
  }

  /**
   * Makes a folder; only a failure is reported.
   *
   * @param hint the hint if the path is a file's
   */
  async folder(path: string, local: string, hint?: string): Promise<void> {
    const failed = (cause: unknown) => this.#failed({ path, local, hint }, cause);
    await this.#pipeline({ verb: "mkdir", path, parents: true }, failed);
  }

  /** Sets a folder's time. A failure is ignored, since the folder's files are complete. */
  async folderTime(path: string, time: number): Promise<void> {
    await this.#many.send(); // files that are put into the folder change its time
    const modified = new Date(time).toISOString();
    await this.#pipeline({ verb: "mkdir", path, parents: true, modified }, () => {});
  }

  /**
   * Removes a remote file or folder; a missing one is no failure.
   *
   * @param local the local name that corresponds to it
   */
  async remove(path: string, local: string, recursive: boolean): Promise<void> {
    await this.#many.send();
    const failed = (cause: unknown) => {
      const isMissing = cause instanceof BargeError && cause.kind === "not-found";
      if (!isMissing) this.#failed({ path, local }, cause);
    };
    const done = () => this.#report.removed(path, local);
    await this.#pipeline({ verb: "remove", path, recursive }, failed, done);
  }

  /**
   * Removes a remote file or folder, and waits for the answer.
   *
   * @throws {BargeError} the failure that the server answered
   */
  async clear(path: string, local: string, recursive: boolean): Promise<void> {
    await this.drained();
    await this.#client.ask("remove", { path, recursive }, diskTimeoutMs);
    this.#report.removed(path, local);
  }

  /** Waits until every request is answered. */
  async drained(): Promise<void> {
    await this.#many.send();
    await this.#window.drained();
  }

  [Symbol.dispose](): void {
    this.#many[Symbol.dispose]();
  }

  /** Uploads a file that is larger than a shared request. @throws {BargeError} why it failed */
  async #large(file: Deno.FsFile, before: Deno.FileInfo, upload: Upload): Promise<void> {
    const { path, local } = upload;
    const { size } = before;
    const modified = before.mtime ?? undefined;
    const request = { path, size, modified, verify: this.#verify, overwrite: this.#overwrite };
    const content = {
      read: (into: Uint8Array) =>
        file.read(into).catch((cause) => Promise.reject(localFailure("read", local, cause))),
      file,
    };
    const progress = {
      start: (offset: number) => this.#report.start(path, local, size, offset),
      bytes: (count: number) => this.#report.bytes(count),
    };
    const { send } = await import("./send.ts");
    const attempt = async () => {
      const sent = await send(this.#client, request, content, progress);
      this.#noteChange(before, file.statSync(), local);
      return sent;
    };
    const { answer, offset } = await attempt();
    if (offset === 0) {
      // The next file is sent while the server syncs this one.
      await this.#window.enter(0);
      answer
        .then(({ sha256 }) => this.#done(upload, size, sha256))
        .catch((cause) => this.#failed(upload, cause, size))
        .finally(() => this.#window.leave(0));
      return;
    }
    try {
      const { sha256 } = await answer;
      return this.#done(upload, size, sha256, offset);
    } catch (error) {
      if (!(error instanceof BargeError) || error.kind !== "digest") throw error;
    }
    // The bytes before the offset were of another file, and the server has dropped them: restart.
    await file.seek(0, Deno.SeekMode.Start);
    const { sha256 } = await (await attempt()).answer;
    this.#done(upload, size, sha256);
  }

  /** Notes that a file was written to while it was sent. */
  #noteChange(before: Deno.FileInfo, after: Deno.FileInfo, local: string): void {
    if (after.size > before.size) {
      this.#report.note(
        `${local} grew while it was sent: its first ${
          counted(before.size, "byte was", "bytes were")
        } sent`,
      );
    } else if (after.size === before.size && +(after.mtime ?? 0) !== +(before.mtime ?? 0)) {
      this.#report.note(`${local} changed while it was sent: it was sent as it was read`);
    }
  }

  /** Sends a request without waiting for its answer. */
  async #pipeline(
    request: RequestInput<"mkdir" | "remove">,
    failed: (cause: unknown) => void,
    done = () => {},
  ): Promise<void> {
    const turn: Turn<unknown> = (frames) => this.#client.next(request.verb, frames);
    await pipeline(this.#client, this.#window, request, turn, { done, failed });
  }

  /** Returns the hint for a taken name. If no file may be replaced, only the server knows whether it is a folder. */
  #hintOnTaken(hint: string | undefined): string | undefined {
    return this.#overwrite === undefined ? hint : undefined;
  }

  #done({ path, local }: Upload, size: number, sha256: string, offset = 0): void {
    const status = offset > 0 ? "resumed" : "sent";
    this.#report.done({ path, local, size, sha256, status, offset });
  }

  #failed({ path, local, hint }: Upload, cause: unknown, size = 0): void {
    const error = withResumeHint(typed(cause, { op: "put", path }));
    const hints: Partial<Record<BargeError["kind"], string>> = {
      "no-space": "the server's disk is full; its operator has to free space",
      exists: hint,
    };
    this.#report.failed(path, local, error.with({ hint: hints[error.kind] }), size);
  }
}

/** @throws {BargeError} `usage` for a file that has bytes, though its size is 0, as in /proc */
function refuseHidden(file: Deno.FsFile, path: string): void {
  const n = onLocal("read", path, () => file.readSync(new Uint8Array(1)));
  if (!n || file.statSync().size > 0) return;
  throw new BargeError("usage", "it has bytes, though its size is 0", {
    path,
    hint: "`put -` takes the output of a program such as cat",
  });
}
