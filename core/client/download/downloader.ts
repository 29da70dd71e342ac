/**
 * Downloads files over one connection, many of them requested ahead. Small files share answers
 * (get_many.ts) and are written when they are complete; a large file is written into its part as it
 * arrives. Files are synced and renamed while the next ones arrive. One caller at a time.
 */
import { BargeError, typed } from "../../error.ts";
import type { RequestInput } from "../../protocol/message.ts";
import { parseTime } from "../../protocol/time.ts";
import { type Client, diskTimeoutMs, type Turn } from "../client.ts";
import type { Report } from "../transfer/events.ts";
import { resumeHint } from "../transfer/failure.ts";
import { Folders } from "./folders.ts";
import { GetMany, type SmallFile, type SmallFileRequest } from "./get_many.ts";
import type { Hash } from "../transfer/hash.ts";
import { localFailure, onLocal } from "../transfer/local_failure.ts";
import { Part, removeStale } from "./part.ts";
import type { Item } from "../transfer/plan.ts";
import { digestMismatch, receive, type Received } from "./receive.ts";
import { baseName, parentOf } from "../path.ts";
import { fileRequest, streamRequest } from "./request.ts";
import { untilClosed } from "./until_closed.ts";
import { Window } from "../transfer/window.ts";

const noDigest = "the server has no digest of it, since it was changed outside barge";
/** The most files, and bytes of files, that are requested without an answer. */
export const maxPendingFiles = 2048;
export const maxPendingBytes = 8 * 1024 * 1024;

/** Receives a file's bytes: standard output, a device, a FIFO. */
export interface Output {
  write(bytes: Uint8Array): Promise<number>;
}

/** A file that is requested by itself. */
interface LargeFile {
  readonly path: string;
  readonly local: string;
  readonly size: number;
  /** The listed digest. */
  readonly sha256: string | null;
}

export class Downloader {
  readonly #client: Client;
  readonly #report: Report;
  readonly #window: Window;
  readonly #verify: boolean;
  readonly #requireDigest: boolean;
  readonly #folders = new Folders();
  readonly #many: GetMany;
  /** Files that turned out to be too large for a shared answer. */
  #grown: SmallFileRequest[] = [];
  /** Files whose digests differed, and of which the server shall compare the parts. */
  #differing: LargeFile[] = [];

  /**
   * @param verify false: large files are not compared with the server's digest
   * @param requireDigest true: a file without a stored digest fails with `digest`
   */
  constructor(client: Client, report: Report, verify = true, requireDigest = false) {
    this.#client = client;
    this.#window = new Window(maxPendingFiles, maxPendingBytes, () => client.flush());
    this.#report = report;
    this.#verify = verify;
    this.#requireDigest = requireDigest;
    this.#many = new GetMany(client, this.#window, {
      received: (request, file) => this.#save(request, file),
      grown: (request) => this.#grown.push(request),
      failed: ({ path, local, size }, cause) => this.#failed(path, local, size, cause),
    });
  }

  /**
   * Downloads a file. Its result is reported now, or when the file is complete.
   *
   * @param item the file as the server listed it
   */
  async file(path: string, local: string, item: Item): Promise<void> {
    try {
      if (this.#client.closed) throw this.#client.closed;
      const { size, sha256 } = item;
      this.#checkDigest(sha256 ?? null);
      const stored = typeof sha256 === "string";
      const isRequested = this.#client.isAhead(fileRequest(path, 0, this.#verify));
      if (size <= this.#many.maxFileBytes && !isRequested) {
        return await this.#many.add({ path, local, size, stored });
      }
      await this.#many.send();
      await this.#large({ path, local, size, sha256: sha256 ?? null });
    } catch (cause) {
      this.#failed(path, local, item.size, cause);
    }
  }

  /** Returns whether a local name was free when its folder was first listed. */
  lacks(local: string): boolean {
    return this.#folders.lacks(parentOf(local), baseName(local));
  }

  /**
   * Downloads a file into a stream. Its digest is compared only after all bytes are written.
   *
   * @param local the stream's name, `-` for standard output
   */
  async stream(path: string, output: Output, local = "-"): Promise<void> {
    const name = local === "-" ? "standard output" : local;
    const wait = untilClosed(this.#client);
    const stoppable = { write: (bytes: Uint8Array) => wait(output.write(bytes)) };
    let size = 0;
    try {
      const received = await this.#fetch(streamRequest(path), {
        hash: await this.#newHash(),
        expected: null,
        begin: (answer) => {
          this.#checkDigest(answer.sha256);
          this.#report.start(path, local, size = answer.size);
        },
        write: (bytes) => this.#write(stoppable, bytes, name),
      });
      if (received.type === "failed") throw received.error;
      if (received.type === "differs") throw digestMismatch();
      if (received.type === "whole") this.#done(path, local, received, 0);
    } catch (cause) {
      this.#failed(path, local, size, cause);
    }
  }

  /** Waits until every file is complete or has failed. */
  async drained(): Promise<void> {
    await this.#many.send();
    await this.#window.drained();
    for (const { path, local, size } of this.#grown.splice(0)) {
      await this.#large({ path, local, size, sha256: null })
        .catch((cause) => this.#failed(path, local, size, cause));
    }
    await this.#window.drained();
    // The server closes the connection at damage. So these come last.
    for (const file of this.#differing.splice(0)) {
      this.#report.plan(0, file.size);
      await this.#large(file, false)
        .catch((cause) => this.#failed(file.path, file.local, file.size, cause));
      await this.#window.drained();
    }
  }

  /** Writes a small file. */
  async #save(
    { path, local, stored }: SmallFileRequest,
    { bytes, modified, sha256 }: SmallFile,
  ): Promise<void> {
    const { length: size } = bytes;
    this.#report.start(path, local, size);
    this.#report.bytes(size);
    const part = Part.open(local, sha256, this.#folders);
    try {
      if (part.offset > 0) part.restart();
      onLocal("write", local, () => writeFully(part.file, bytes));
      await part.commit(new Date(parseTime(modified)!), true);
    } finally {
      part.discard();
    }
    removeStale(local, this.#folders);
    this.#report.done({ path, local, size, sha256, status: "sent", verified: stored });
    if (!stored) this.#noteUnverified(path);
  }

  /** @param verifies whether this side alone compares the digest. A download that resumes is always compared by both */
  async #large(file: LargeFile, verifies = this.#verify): Promise<void> {
    const { path, local, size, sha256: expected } = file;
    const part = Part.open(local, expected, this.#folders);
    const weight = Math.min(size, maxPendingBytes / 2);
    try {
      const { offset, hash } = await this.#hashPart(part, size);
      await this.#window.enter(weight);
      this.#receiveInto(part, file, { offset, hash, expected, verifies: verifies && offset === 0 })
        .catch((cause) => this.#failed(path, local, size, cause))
        .finally(() => this.#window.leave(weight));
      await this.#client.flush().catch(() => {/* the answer fails as well */});
    } catch (cause) {
      part.keep();
      throw cause;
    }
  }

  /**
   * Receives a file into its part, from an offset, and renames the part. If the digest differs, a server that compares
   * parts is asked again later: it finds the damage in its storage, and the bytes before it stay in the part. So it also
   * compares a download that resumes.
   */
  async #receiveInto(
    part: Part,
    file: LargeFile,
    from: {
      offset: number;
      hash: Hash | undefined;
      expected: string | null;
      verifies: boolean;
    },
  ): Promise<void> {
    const { path, local } = file;
    try {
      let { offset, hash, expected, verifies } = from;
      const fetch = () =>
        this.#fetch(fileRequest(path, offset, verifies), {
          hash,
          expected,
          begin: ({ size, sha256 }) => {
            this.#checkDigest(sha256);
            this.#report.start(path, local, size, offset);
          },
          write: (bytes) => this.#write(part.file, bytes, local),
        });
      let received = await fetch();
      if (received.type === "changed") {
        part.restart();
        [offset, hash, expected, verifies] = [0, await this.#newHash(), null, false];
        received = await fetch();
      }
      if (received.type === "differs") {
        part.discard();
        const error = digestMismatch();
        if (!verifies || !this.#client.hello.parts) throw error;
        this.#report.note(`${path}: ${error.message}; downloading it once more`);
        this.#differing.push(file);
        return;
      }
      if (received.type === "failed") throw received.error;
      if (received.type === "changed") {
        throw new BargeError("changed", "the file keeps changing at the server");
      }
      await part.commit(new Date(parseTime(received.answer.modified)!));
      removeStale(local, this.#folders);
      this.#done(path, local, received, offset);
    } finally {
      part.keep();
    }
  }

  /** Hashes the part that an earlier run left. @returns where the download resumes */
  async #hashPart(part: Part, size: number): Promise<{ offset: number; hash: Hash | undefined }> {
    if (part.offset > 0 && part.offset <= size) {
      const { hashInto, sha256 } = await import("../transfer/hash.ts");
      const hash = sha256();
      const n = await hashInto(hash, part.file, part.offset, () => this.#client.closed)
        .catch((cause) => Promise.reject(localFailure("read", part.path, cause)));
      if (n === part.offset) return { offset: n, hash };
    }
    part.restart();
    return { offset: 0, hash: await this.#newHash() };
  }

  async #newHash(): Promise<Hash | undefined> {
    if (!this.#verify) return undefined;
    const { sha256 } = await import("../transfer/hash.ts");
    return sha256();
  }

  async #fetch(
    request: RequestInput<"get">,
    reception: Parameters<typeof receive>[2],
  ): Promise<Received> {
    const turn: Turn<Received> = (frames) => receive(this.#client, frames, reception);
    return await this.#client.request(request, turn, diskTimeoutMs);
  }

  async #write(output: Output, bytes: Uint8Array, local: string): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) done += await output.write(bytes.subarray(done));
    } catch (cause) {
      throw localFailure("write", local, cause);
    }
    this.#report.bytes(bytes.length);
  }

  #done(
    path: string,
    local: string,
    { answer, sha256 }: Extract<Received, { type: "whole" }>,
    offset: number,
  ): void {
    const status = offset > 0 ? "resumed" : "sent";
    const verified = this.#verify && answer.sha256 !== null;
    this.#report.done({ path, local, size: answer.size, sha256, status, offset, verified });
    if (answer.sha256 === null) this.#noteUnverified(path);
  }

  /** @throws {BargeError} `digest` where a stored digest is required and missing */
  #checkDigest(sha256: string | null): void {
    if (this.#requireDigest && sha256 === null) throw noStoredDigest();
  }

  #noteUnverified(path: string): void {
    this.#report.note(`${path}: ${noDigest}, so the download can't be checked`);
  }

  #failed(path: string, local: string, size: number, cause: unknown): void {
    const error = typed(cause, { op: "get", path });
    const hints: Partial<Record<BargeError["kind"], string>> = {
      unavailable: resumeHint,
      "no-space": `free space on this machine, then ${resumeHint}`,
    };
    this.#report.failed(path, local, error.with({ hint: hints[error.kind] }), size);
  }
}

/** Returns the failure of a file whose required digest is missing. */
export function noStoredDigest(): BargeError {
  return new BargeError("digest", noDigest, {
    hint: "`barge verify --repair` at the server stores the digest of the file as it is",
  });
}

function writeFully(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}
