/**
 * The bytes of one upload while they arrive: `staging/ID`.
 *
 *   open -> (write | writeAt | truncate)* -> finish (synced) -> renamed by the vault
 *                                        \-> closed: kept, to be resumed
 *
 * Most protocols append. Some write anywhere (SFTP): then there may be gaps, and only what is whole
 * from the start is worth keeping when the writer is gone.
 *
 *   0 ....... hashed ....... size ...gap... [piece] ...gap... [piece] ... length
 *
 * Invariants: `hashed <= size <= length`; [0, size) is whole; the pieces lie beyond it, sorted, with
 * gaps between them; the digest's state covers [0, hashed), and is begun again when something is
 * written there. Who appends only has `hashed = size = length`. Calls may overlap: they are carried
 * out one after the other, in their order, because the file has one cursor.
 *
 * Everything that changes the file happens behind the writer's fence (fences.ts): once another has
 * taken the upload over, nothing more is written here, and the calls fail.
 */
import { createHash, type Hash } from "node:crypto";
import { BargeError, typed } from "../../error.ts";
import { borrow, giveBack } from "../../disk/buffer_pool.ts";
import { syncSmall } from "../../disk/sync_file.ts";
import type { StagedBody } from "../../storage/uploads.ts";
import { digestFile } from "./digest.ts";
import { reached } from "./fault.ts";
import { behind, type Fence, takenOver } from "./fences.ts";
import { makeFile, stagedPath, stagedPlace } from "./staging.ts";
import { foundOf, type Vault } from "./vault.ts";
import type { Found } from "./entry.ts";

/** Up to this many bytes, a synchronous write takes less time than to hand it to another thread. */
const syncWriteBytes = 64 * 1024;
/** The most separate pieces beyond a gap. */
const maxPieces = 1024;

/** Bytes from `start` to before `end`. */
interface Piece {
  readonly start: number;
  readonly end: number;
}

export class Staged implements StagedBody, Disposable {
  /** True if {@link finish} found bytes on disk that this writer did not write. */
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
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    vault: Vault,
    upload: number,
    file: Deno.FsFile,
    fence: Fence,
    suspect: boolean,
  ) {
    this.#vault = vault;
    this.#upload = upload;
    this.#file = file;
    this.#fence = fence;
    this.#suspect = suspect;
  }

  /**
   * Opens an upload's staged bytes, or begins them.
   *
   * @param keep bytes from the start that are kept; 0: none
   * @param fence the writer's; the caller ends it
   * @param suspect whether a write of a former holder may still land
   * @param onRead called after each read of the kept bytes for the digest, which takes a second a
   *   gigabyte. Null: they are read when the digest is asked for, and there is no `prefix`
   * @throws {BargeError} `no-space`, `io`; `unavailable` once the fence is raised, as every change
   */
  static async open(
    vault: Vault,
    upload: number,
    keep: number,
    fence: Fence,
    suspect = false,
    onRead: (() => void) | null = () => {},
  ): Promise<Staged> {
    try {
      const path = stagedPath(vault, upload);
      const file = keep > 0
        ? await Deno.open(path, { read: true, write: true })
        : behind(fence, () => makeFile(path));
      const staged = new Staged(vault, upload, file, fence, suspect);
      try {
        if (keep > 0) await staged.#takeUp(keep, onRead);
        return staged;
      } catch (error) {
        staged[Symbol.dispose]();
        throw error;
      }
    } catch (error) {
      throw typed(error, { op: "stage" });
    }
  }

  /** Bytes that are whole from the start. */
  get size(): number {
    return this.#size;
  }

  /** Where the last byte ends: more than `size` where there are gaps. */
  get length(): number {
    return this.#length;
  }

  /** The SHA-256 of what is whole, in hex; only of one that was appended to. */
  prefix(): string {
    return this.#hash.copy().digest("hex");
  }

  /**
   * The SHA-256 of all of it, in hex; gaps count as zeros.
   *
   * @param onRead called after each piece that has to be read again for it
   */
  digest(onRead: () => void = () => {}): Promise<string> {
    return this.#alone(async () => {
      await this.#readOn(this.#length, onRead);
      return this.prefix();
    });
  }

  /** Appends to what is whole. @throws as {@link writeAt} */
  write(bytes: Uint8Array): Promise<void> {
    return this.#change(() => this.#write(this.#size, bytes));
  }

  /**
   * Writes at a position, beyond the end, too. The bytes must stay as they are until it resolves.
   *
   * @throws {BargeError} `no-space`, `io`; `refused` when there would be too many gaps
   */
  writeAt(position: number, bytes: Uint8Array): Promise<void> {
    return this.#change(() => this.#write(position, bytes));
  }

  /** Reads what is there at a position. @returns how many bytes; 0 at the end */
  readAt(position: number, into: Uint8Array): Promise<number> {
    return this.#alone(async () => {
      if (this.#fence.raised) throw takenOver(); // the bytes are another's by now
      await this.#seek(position);
      const n = await this.#file.read(into) ?? 0;
      this.#cursor += n;
      return n;
    });
  }

  /** Cuts it short, or makes it longer by a gap. */
  truncate(length: number): Promise<void> {
    return this.#change(() => this.#truncate(length));
  }

  /** Waits for the calls that are under way, however they end. */
  async settled(): Promise<void> {
    await this.#turn;
  }

  /** The inode of the bytes that {@link finish} made durable. */
  get ino(): number {
    return this.#finished!.ino;
  }

  async finish(modified: number | null, sha256: string): Promise<number> {
    if (this.#suspect) await this.#readBack(sha256);
    return await this.#alone(async () => {
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
        throw new BargeError("io", `staged ${this.#length} bytes and found ${finished.size}`);
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

  /** A write of the former holder's that was stuck on its way to the disk may have come after ours. */
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

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work).catch((error) => {
      throw typed(error, { op: "stage" });
    });
    this.#turn = mine.catch(() => {/* whoever called is told */});
    return mine;
  }

  #change(work: () => Promise<void>): Promise<void> {
    return this.#alone(async () => {
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
    if (position < this.#hashed) this.#forget();
    const sequel = position === this.#hashed;
    await this.#seek(position);
    try {
      const writing = this.#writeFully(bytes);
      if (sequel) this.#hash.update(bytes); // while another thread writes
      await writing;
    } catch (error) {
      if (sequel) this.#forget();
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
    // The bytes behind the gap are still in the system's memory now.
    if (sequel && position === before && this.#size > this.#hashed) {
      await this.#readOn(this.#size, () => {});
    }
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
    if (this.#hashed > length) this.#forget();
  }

  #forget(): void {
    this.#hash = createHash("sha256");
    this.#hashed = 0;
  }

  async #takeUp(keep: number, onRead: (() => void) | null): Promise<void> {
    const { size } = await this.#file.stat();
    if (size > keep) behind(this.#fence, () => this.#file.truncateSync(keep));
    this.#length = this.#size = Math.min(size, keep);
    if (onRead) await this.#readOn(this.#size, onRead);
  }

  /** Brings the digest up to a position. */
  async #readOn(end: number, onRead: () => void): Promise<void> {
    if (this.#hashed >= end) return;
    const buffer = borrow();
    try {
      await this.#seek(this.#hashed);
      while (this.#hashed < end) {
        const n = await this.#file.read(buffer.subarray(0, end - this.#hashed));
        if (!n) {
          throw new BargeError("io", `the staged bytes end at ${this.#hashed}, not at ${end}`);
        }
        this.#cursor += n;
        this.#hash.update(buffer.subarray(0, n));
        this.#hashed += n;
        onRead();
      }
    } finally {
      giveBack(buffer);
    }
  }

  async #seek(position: number): Promise<void> {
    if (this.#cursor === position) return;
    await this.#file.seek(position, Deno.SeekMode.Start);
    this.#cursor = position;
  }
}

/** Sorted pieces with one more; what touches becomes one. */
function withPiece(pieces: readonly Piece[], { start, end }: Piece): Piece[] {
  const apart = pieces.filter((piece) => piece.end < start || piece.start > end);
  const touching = pieces.filter((piece) => piece.end >= start && piece.start <= end);
  const joined = {
    start: Math.min(start, ...touching.map((piece) => piece.start)),
    end: Math.max(end, ...touching.map((piece) => piece.end)),
  };
  return [...apart, joined].sort((a, b) => a.start - b.start);
}
