/**
 * The bytes of one upload while they arrive: `staging/ID`.
 *
 *   open -> (write | writeAt | truncate)* -> finish (synced) -> renamed by the vault
 *                                        \-> closed: kept, to be resumed
 *
 * Most protocols append. SFTP writes anywhere: then there may be gaps, and a resume keeps only the
 * bytes before the first one.
 *
 *   0 ....... hashed ....... size ...gap... [piece] ...gap... [piece] ... length
 *
 * Invariants: `hashed <= size <= length`; [0, size) has no gap; the pieces come after it, sorted, with
 * gaps between them; the digest's state covers [0, hashed), and begins anew when a write changes these
 * bytes. With appends only, `hashed = size = length`. Calls may overlap, and run one after the other,
 * because the file has one cursor.
 *
 * Every change of the file checks the writer's fence (fences.ts): once another connection has taken the
 * upload over, the calls fail.
 */
import { createHash, type Hash } from "node:crypto";
import { counted } from "../../counted.ts";
import { BargeError, typed } from "../../error.ts";
import { syncSmall } from "../../disk/sync_file.ts";
import type { StagedBody } from "../../storage/uploads.ts";
import { digestFile, readInto } from "./digest.ts";
import { reached } from "../../storage/fault.ts";
import { behind, type Fence, takenOver } from "./fences.ts";
import { makeFile, stagedPath, stagedPlace } from "./staging.ts";
import { type Found, foundOf, type Vault } from "./vault.ts";

/** The most bytes that this thread writes in less time than it takes to hand them to another thread. */
const syncWriteBytes = 64 * 1024;
/** The most separate pieces beyond a gap. */
const maxPieces = 1024;

/** Bytes from `start` to before `end`. */
interface Piece {
  readonly start: number;
  readonly end: number;
}

export interface StagedOptions {
  /** The id of the upload. */
  readonly upload: number;
  /** Bytes to keep from the start; 0: none. */
  readonly keep: number;
  /** The writer's fence. The caller disposes it. */
  readonly fence: Fence;
  /** Whether a write of a former holder may still be under way. */
  readonly suspect: boolean;
  /**
   * Called after each read of the kept bytes for the digest, which takes a second a gigabyte. Null: they
   * are read by {@link Staged.digest}, and `prefix` is not available.
   */
  readonly onRead: (() => void) | null;
}

export class Staged implements StagedBody, Disposable {
  /** Whether {@link finish} found bytes on disk that this writer did not write. */
  spoiled = false;
  readonly #vault: Vault;
  readonly #upload: number;
  readonly #file: Deno.FsFile;
  readonly #fence: Fence;
  readonly #suspect: boolean;
  #finished: Found | undefined;
  #cursor = 0;
  #hash: Hash = createHash("sha256");
  #hashed = 0;
  #size = 0;
  #length = 0;
  #pieces: Piece[] = [];
  /** Resolves when the last call has ended. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(vault: Vault, file: Deno.FsFile, { upload, fence, suspect }: StagedOptions) {
    this.#vault = vault;
    this.#file = file;
    this.#upload = upload;
    this.#fence = fence;
    this.#suspect = suspect;
  }

  /**
   * Opens an upload's staged bytes, or begins them.
   *
   * @throws {BargeError} `no-space`, `io`; `unavailable` once the fence is raised, as every change
   */
  static async open(vault: Vault, options: StagedOptions): Promise<Staged> {
    const { upload, keep, fence, onRead } = options;
    try {
      const path = stagedPath(vault, upload);
      const file = keep > 0
        ? await Deno.open(path, { read: true, write: true })
        : behind(fence, () => makeFile(path));
      const staged = new Staged(vault, file, options);
      try {
        if (keep > 0) await staged.#resume(keep, onRead);
        return staged;
      } catch (error) {
        staged[Symbol.dispose]();
        throw error;
      }
    } catch (error) {
      throw typed(error, { op: "stage" });
    }
  }

  get size(): number {
    return this.#size;
  }

  get length(): number {
    return this.#length;
  }

  prefix(): string {
    return this.#hash.copy().digest("hex");
  }

  digest(onRead?: () => void): Promise<string> {
    return this.#inTurn(async () => {
      await this.#hashTo(this.#length, onRead);
      return this.prefix();
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#change(() => this.#write(this.#size, bytes));
  }

  writeAt(position: number, bytes: Uint8Array): Promise<void> {
    return this.#change(() => this.#write(position, bytes));
  }

  readAt(position: number, into: Uint8Array): Promise<number> {
    return this.#inTurn(async () => {
      if (this.#fence.raised) throw takenOver(); // another holder may have changed the bytes
      await this.#seek(position);
      const n = await this.#file.read(into) ?? 0;
      this.#cursor += n;
      return n;
    });
  }

  truncate(length: number): Promise<void> {
    return this.#change(() => this.#truncate(length));
  }

  async settled(): Promise<void> {
    await this.#turn;
  }

  /** The inode of the bytes that {@link finish} made durable. */
  get ino(): number {
    return this.#finished!.ino;
  }

  async finish(modified: number | null, sha256: string): Promise<number> {
    if (this.#suspect) await this.#readBack(sha256);
    return await this.#inTurn(async () => {
      if (modified !== null) {
        const time = new Date(modified);
        behind(this.#fence, () => this.#file.utimeSync(time, time));
      }
      reached("staged");
      if (this.#vault.durable) {
        await (this.#length <= syncWriteBytes ? syncSmall(this.#file) : this.#file.sync());
      }
      reached("synced");
      const finished = foundOf(this.#file.statSync());
      if (finished.size !== this.#length) {
        throw new BargeError(
          "io",
          `staged ${counted(this.#length, "byte")} and found ${finished.size}`,
        );
      }
      this.#finished = finished;
      return finished.modified;
    });
  }

  unchanged(): boolean {
    const finished = this.#finished;
    const now = this.#vault.find(stagedPlace(this.#upload));
    return finished !== undefined && now?.ino === finished.ino && now.size === finished.size &&
      now.modified === finished.modified;
  }

  /** Checks the bytes on disk: a late write of the former holder may have overwritten newer bytes. */
  async #readBack(sha256: string): Promise<void> {
    const onDisk = await digestFile(this.#vault, stagedPlace(this.#upload));
    if (onDisk.digest === sha256) return;
    this.spoiled = true;
    throw new BargeError("unavailable", "two connections wrote to this upload at once", {
      hint: "send it again",
    });
  }

  /** Closes the file; its bytes stay. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work).catch((error) => {
      throw typed(error, { op: "stage" });
    });
    this.#turn = mine.catch(() => {/* thrown to its caller */});
    return mine;
  }

  #change(work: () => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#fence.enter()) throw takenOver();
      try {
        await work();
      } finally {
        this.#fence.leave();
      }
    });
  }

  async #write(position: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    const end = position + bytes.length;
    const before = this.#size;
    const next = position > before ? withPiece(this.#pieces, { start: position, end }) : undefined;
    if (next && next.length > maxPieces) {
      throw new BargeError("refused", `there are more than ${maxPieces} gaps in it`, {
        hint: "write from the start to the end",
      });
    }
    if (position < this.#hashed) this.#resetHash();
    const sequel = position === this.#hashed;
    await this.#seek(position);
    try {
      const writing = this.#writeFully(bytes);
      if (sequel) this.#hash.update(bytes); // while another thread writes
      await writing;
    } catch (error) {
      if (sequel) this.#resetHash();
      throw error;
    }
    if (sequel) this.#hashed = end;
    this.#length = Math.max(this.#length, end);
    if (next) {
      this.#pieces = next;
      return;
    }
    this.#size = Math.max(before, end);
    while (this.#pieces.length > 0 && this.#pieces[0].start <= this.#size) {
      this.#size = Math.max(this.#size, this.#pieces.shift()!.end);
    }
    // The bytes behind the gap are still in the system's memory: the digest reads them now.
    if (sequel && position === before) await this.#hashTo(this.#size);
  }

  async #writeFully(bytes: Uint8Array): Promise<void> {
    const atOnce = this.#cursor + bytes.length <= syncWriteBytes;
    for (let done = 0; done < bytes.length;) {
      const rest = done === 0 ? bytes : bytes.subarray(done);
      const n = atOnce ? this.#file.writeSync(rest) : await this.#file.write(rest);
      done += n;
      this.#cursor += n;
    }
  }

  async #truncate(length: number): Promise<void> {
    await this.#file.truncate(length);
    this.#length = length;
    this.#size = Math.min(this.#size, length);
    this.#pieces = this.#pieces.filter(({ start }) => start < length)
      .map(({ start, end }) => ({ start, end: Math.min(end, length) }));
    if (this.#hashed > length) this.#resetHash();
  }

  #resetHash(): void {
    this.#hash = createHash("sha256");
    this.#hashed = 0;
  }

  async #resume(keep: number, onRead: (() => void) | null): Promise<void> {
    const { size } = await this.#file.stat();
    if (size > keep) behind(this.#fence, () => this.#file.truncateSync(keep));
    this.#length = this.#size = Math.min(size, keep);
    if (onRead) await this.#hashTo(this.#size, onRead);
  }

  /** Extends the digest up to a position. */
  async #hashTo(end: number, onRead: () => void = () => {}): Promise<void> {
    if (this.#hashed >= end) return;
    await this.#seek(this.#hashed);
    await readInto(this.#hash, this.#file, end - this.#hashed, (bytes) => {
      this.#cursor += bytes;
      this.#hashed += bytes;
      onRead();
    });
    if (this.#hashed < end) {
      throw new BargeError("io", `the staged bytes end at ${this.#hashed}, not at ${end}`);
    }
  }

  async #seek(position: number): Promise<void> {
    if (this.#cursor === position) return;
    await this.#file.seek(position, Deno.SeekMode.Start);
    this.#cursor = position;
  }
}

/** Returns sorted pieces with one more. Pieces that touch become one. */
function withPiece(pieces: readonly Piece[], { start, end }: Piece): Piece[] {
  const apart = pieces.filter((piece) => piece.end < start || piece.start > end);
  const touching = pieces.filter((piece) => piece.end >= start && piece.start <= end);
  const joined = {
    start: Math.min(start, ...touching.map((piece) => piece.start)),
    end: Math.max(end, ...touching.map((piece) => piece.end)),
  };
  return [...apart, joined].sort((a, b) => a.start - b.start);
}
