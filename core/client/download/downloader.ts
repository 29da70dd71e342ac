/**
 * Gets files over one connection, many requested ahead.
 *
 * Small files come many with one answer (get_many.ts), and are written when they are whole; larger
 * ones go into their part as they come. Syncing and renaming goes on while the next files arrive; what is requested or
 * not yet on the disk is bounded by a window. One caller at a time.
 */
import { BargeError, typed } from "../../error.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { parseTime } from "../../protocol/time.ts";
import { type Client, diskPatience } from "../client.ts";
import type { Report, TransferResult } from "../transfer/events.ts";
import { Folders } from "./folders.ts";
import { type Come, GetMany, type Wanted } from "./get_many.ts";
import type { Hash } from "../transfer/hash.ts";
import { Part, removeStale } from "./part.ts";
import type { Item } from "../transfer/plan.ts";
import { receive, type Received } from "./receive.ts";
import { baseName, parentOf } from "../path.ts";
import { again } from "../upload/uploader.ts";
import { UntilClosed } from "./until_closed.ts";
import { Window } from "../transfer/window.ts";

const noDigest = "the server has no digest of it, since it was changed outside barge";
const window = { count: 256, bytes: 2 * 1024 * 1024 };

/** Where a file that is not kept goes: standard output. */
export interface Output {
  write(bytes: Uint8Array): Promise<number>;
}

export class Downloader {
  readonly #client: Client;
  readonly #report: Report;
  readonly #window: Window;
  readonly #verify: boolean;
  readonly #requireDigest: boolean;
  readonly #folders = new Folders();
  readonly #many: GetMany;
  /** Small files that have grown meanwhile. */
  #alone: Wanted[] = [];

  /**
   * @param verify false: large files are not compared with the server's digest of them
   * @param requireDigest true: a file without a stored digest fails with `digest`
   */
  constructor(client: Client, report: Report, verify = true, requireDigest = false) {
    this.#client = client;
    this.#window = new Window(window.count, window.bytes, () => client.flush());
    this.#report = report;
    this.#verify = verify;
    this.#requireDigest = requireDigest;
    this.#many = new GetMany(client, this.#window, {
      take: (file, come) => this.#take(file, come),
      alone: (file) => this.#alone.push(file),
      failed: ({ path, local, size }, cause) => this.#fail(path, local, size, cause),
    });
  }

  /**
   * Fetches a file; what becomes of it is reported, now or when it is there.
   *
   * @param item what the server said of it
   */
  async file(path: string, local: string, item: Item): Promise<void> {
    try {
      if (this.#client.closed) throw this.#client.closed;
      const { size, sha256 } = item;
      this.#checkDigest(sha256 ?? null);
      const stored = typeof sha256 === "string";
      if (size <= this.#many.most) return await this.#many.add({ path, local, size, stored });
      await this.#many.send();
      await this.#large(path, local, size, sha256 ?? null);
    } catch (cause) {
      this.#fail(path, local, item.size, cause);
    }
  }

  /** Returns whether a local name was certainly free when its folder was first listed. */
  lacks(local: string): boolean {
    return this.#folders.lacks(parentOf(local), baseName(local));
  }

  /**
   * Fetches a file into a stream. Its digest is compared only after all bytes are written.
   *
   * @param local the stream's name, `-` for standard output
   */
  async stream(path: string, output: Output, local = "-"): Promise<void> {
    const name = local === "-" ? "standard output" : local;
    const connection = new UntilClosed(this.#client);
    const stoppable = { write: (bytes: Uint8Array) => connection.wait(output.write(bytes)) };
    let size = 0;
    try {
      const received = await this.#fetch(path, 0, {
        hash: await this.#newHash(),
        expected: null,
        begin: (answer) => {
          this.#checkDigest(answer.sha256);
          this.#report.start(path, local, size = answer.size);
        },
        write: (bytes) => this.#write(stoppable, bytes, name),
      });
      if (received.type === "failed") throw received.error;
      if (received.type === "whole") {
        this.#done(path, local, received, 0);
      }
    } catch (cause) {
      this.#fail(path, local, size, cause);
    }
  }

  /** Waits until all is there. */
  async drained(): Promise<void> {
    await this.#many.send();
    await this.#client.flush().catch(() => {/* whoever waits for an answer is told */});
    await this.#window.drained();
    for (const { path, local, size } of this.#alone.splice(0)) {
      await this.#large(path, local, size, null)
        .catch((cause) => this.#fail(path, local, size, cause));
    }
    await this.#window.drained();
  }

  /** Keeps a small file. */
  async #take({ path, local, stored }: Wanted, { bytes, modified, sha256 }: Come): Promise<void> {
    const { length: size } = bytes;
    this.#report.start(path, local, size);
    this.#report.bytes(size);
    const part = Part.open(local, sha256, this.#folders);
    try {
      if (part.offset > 0) part.restart();
      writeFully(part.file, bytes);
      await part.commit(new Date(parseTime(modified)!), true);
    } finally {
      part.discard();
    }
    removeStale(local, this.#folders);
    this.#report.done({
      ...{ path, local, size, sha256, status: "sent", offset: 0, error: null },
      verified: stored,
    });
    if (!stored) this.#noteUnverified(path);
  }

  async #large(
    path: string,
    local: string,
    size: number,
    expected: string | null,
  ): Promise<void> {
    const part = Part.open(local, expected, this.#folders);
    const weight = Math.min(size, window.bytes / 2);
    try {
      const { offset, hash } = await this.#prefix(part, size);
      await this.#window.enter(weight);
      this.#into(part, path, local, { offset, hash, expected })
        .catch((cause) => this.#fail(path, local, size, cause))
        .finally(() => this.#window.leave(weight));
      await this.#client.flush().catch(() => {/* the answer fails as well */});
    } catch (cause) {
      part.keep();
      throw cause;
    }
  }

  /** Fetches into a part, from an offset, and gives it its name. */
  async #into(
    part: Part,
    path: string,
    local: string,
    from: { offset: number; hash: Hash | undefined; expected: string | null },
  ): Promise<void> {
    try {
      let { offset, hash } = from;
      let received = await this.#fetch(path, offset, {
        ...from,
        begin: ({ size, sha256 }) => {
          this.#checkDigest(sha256);
          this.#report.start(path, local, size, offset);
        },
        write: (bytes) => this.#write(part.file, bytes, local),
      });
      if (received.type === "again") {
        part.restart();
        [offset, hash] = [0, await this.#newHash()];
        received = await this.#fetch(path, 0, {
          hash,
          expected: null,
          begin: ({ size }) => this.#report.start(path, local, size, 0),
          write: (bytes) => this.#write(part.file, bytes, local),
        });
      }
      if (received.type === "failed") {
        if (received.error.kind === "digest") part.discard();
        throw received.error;
      }
      if (received.type === "again") throw new BargeError("changed", "it changes all the time");
      await part.commit(new Date(parseTime(received.answer.modified)!));
      removeStale(local, this.#folders);
      this.#done(path, local, received, offset);
    } finally {
      part.keep();
    }
  }

  /** Hashes what an earlier run left. */
  async #prefix(part: Part, size: number): Promise<{ offset: number; hash: Hash | undefined }> {
    if (part.offset > 0 && part.offset <= size) {
      const { hashInto, sha256 } = await import("../transfer/hash.ts");
      const hash = sha256();
      const n = await hashInto(hash, part.file, part.offset, () => this.#client.closed);
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
    path: string,
    offset: number,
    reception: Parameters<typeof receive>[2],
  ): Promise<Received> {
    const request = encodeFrame({ verb: "get", path, offset });
    const received = this.#client.answer(
      (frames) => receive(this.#client, frames, reception),
      diskPatience,
    );
    received.catch(() => {/* awaited below; sending may fail first */});
    await this.#client.send(request);
    await this.#client.flush();
    return await received;
  }

  async #write(output: Output, bytes: Uint8Array, local: string): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) done += await output.write(bytes.subarray(done));
    } catch (cause) {
      throw typed(cause, { op: "write", path: local });
    }
    this.#report.bytes(bytes.length);
  }

  #done(
    path: string,
    local: string,
    { answer, sha256 }: Extract<Received, { type: "whole" }>,
    offset: number,
  ): void {
    const status: TransferResult["status"] = offset > 0 ? "resumed" : "sent";
    const verified = this.#verify && answer.sha256 !== null;
    const { size } = answer;
    this.#report.done({ path, local, size, sha256, status, offset, error: null, verified });
    if (answer.sha256 === null) this.#noteUnverified(path);
  }

  /** @throws {BargeError} `digest` where a stored digest is required and missing */
  #checkDigest(sha256: string | null): void {
    if (!this.#requireDigest || sha256 !== null) return;
    throw noStoredDigest();
  }

  #noteUnverified(path: string): void {
    this.#report.note(`${path}: ${noDigest}, so the download can't be checked`);
  }

  #fail(path: string, local: string, size: number, cause: unknown): void {
    const error = typed(cause, { op: "get", path });
    const hint = error.kind === "unavailable"
      ? again
      : error.kind === "no-space"
      ? `make room on this machine, then ${again}`
      : undefined;
    this.#report.failed(path, local, error.with({ hint }), size);
  }
}

/** Returns the failure of a file whose required digest is missing. */
export function noStoredDigest(): BargeError {
  return new BargeError("digest", noDigest, {
    hint: "`barge verify --repair` at the server takes it in as it is now",
  });
}

function writeFully(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}
