/**
 * The staged bytes of one upload: written pieces in the bucket, and the last run of bytes in memory.
 *
 * Bytes are gathered into a run. A run is sent as an object, and becomes a piece, when it is full or when a
 * write does not continue it. The first piece has 256 KiB, and the size of each next one doubles, up to
 * 8 MiB: small uploads take little memory, and large ones few objects. Objects are never written again: a
 * piece that is overwritten is cut, or replaced by a new one.
 *
 * A piece counts once it is recorded in the database, in a transaction that checks that the upload still has
 * this holder. So a former holder may still write objects, but they never become part of a file.
 */
import { createHash, type Hash, hash } from "node:crypto";
import { BargeError } from "../../error.ts";
import { reached } from "../../storage/fault.ts";
import type { StagedBody } from "../../storage/uploads.ts";
import { sha256Of } from "../bucket/digest.ts";
import { isMemoryShort } from "../bucket/memory.ts";
import { objectName } from "../bucket/objects.ts";
import type { Parts } from "../bucket/parts.ts";
import { type Piece, readPiece } from "../tree/pieces.ts";
import { firstPieceBytes, type Run, startRun } from "./run.ts";

/** Records changed pieces in the database. @throws {BargeError} when the upload is lost */
export type RecordPieces = (gone: readonly number[], added: readonly Piece[]) => Promise<void>;

const maxPieceBytes = 8 * 1024 * 1024;
/** The most objects of one upload that are sent at the same time. */
const maxInFlight = 4;
/** The same where memory is short. */
const minInFlight = 2;
/** The most pieces of an upload that is not written from start to end. */
const maxScattered = 10_000;

export interface BodyStart {
  readonly pieces: readonly Piece[];
  /** The number of bytes from the start to the first gap. */
  readonly size: number;
  /** The digest of the bytes so far, if the body is only appended to; undefined: computed at the end. */
  readonly digest: Hash | undefined;
  readonly record: RecordPieces;
  /** Throws once the upload is lost. */
  readonly check: () => void;
  /** Returns the time now, in ms since 1970, by the database's clock. */
  readonly now: () => Promise<number>;
}

/** A piece whose digest is set when its object is sent. */
type SentPiece = Omit<Piece, "sha256"> & { sha256: string | null };

export class SharedBody implements StagedBody, Disposable {
  readonly #parts: Parts;
  readonly #start: BodyStart;
  /** Sorted, without overlaps. The objects of the newest ones may not be in the bucket yet. */
  #pieces: Piece[];
  readonly #recorded: Map<number, Piece>;
  /** The last bytes, from `at` on, that are not sent yet. */
  #run: Run | undefined;
  #pieceBytes = firstPieceBytes;
  #digest: Hash | undefined;
  #size: number;
  #length: number;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #sending = new Set<Promise<void>>();
  #failure: unknown;
  #recording: Promise<void> | undefined;

  constructor(parts: Parts, start: BodyStart) {
    this.#parts = parts;
    this.#start = start;
    this.#pieces = [...start.pieces];
    this.#recorded = new Map(start.pieces.map((piece) => [piece.at, piece]));
    this.#digest = start.digest;
    this.#size = this.#length = start.size;
  }

  get size(): number {
    return this.#size;
  }

  get length(): number {
    return this.#length;
  }

  prefix(): string {
    if (!this.#digest) throw new TypeError("the digest of the first bytes was not kept");
    return this.#digest.copy().digest("hex");
  }

  async digest(onRead?: () => void): Promise<string> {
    return await this.#enqueue(async () => {
      if (this.#digest && this.#size === this.#length) return this.prefix();
      await this.#fill();
      await this.#flush();
      const digest = createHash("sha256");
      for (const [i, piece] of this.#pieces.entries()) {
        const bytes = await this.#read(piece);
        digest.update(bytes);
        if (piece.sha256 === null) {
          this.#pieces[i] = { ...piece, sha256: await sha256Of(bytes) };
        }
        onRead?.();
      }
      return digest.digest("hex");
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#enqueue(async () => {
      const at = this.#size;
      await this.#writeAt(at, bytes);
      if (at + bytes.length === this.#size) this.#digest?.update(bytes);
      else this.#digest = undefined;
    });
  }

  writeAt(position: number, bytes: Uint8Array): Promise<void> {
    return this.#enqueue(async () => {
      const appends = position === this.#size && this.#size === this.#length;
      await this.#writeAt(position, bytes);
      if (appends) this.#digest?.update(bytes);
      else this.#digest = undefined;
    });
  }

  readAt(position: number, into: Uint8Array): Promise<number> {
    return this.#enqueue(async () => {
      const end = Math.min(position + into.length, this.#length);
      if (end <= position) return 0;
      await this.#flush();
      into.fill(0, 0, end - position);
      for (const piece of this.#pieces) {
        const from = Math.max(position, piece.at);
        const to = Math.min(end, piece.at + piece.size);
        if (from >= to) continue;
        const bytes = await this.#read(piece);
        into.set(bytes.subarray(from - piece.at, to - piece.at), from - position);
      }
      return end - position;
    });
  }

  truncate(length: number): Promise<void> {
    return this.#enqueue(async () => {
      if (length === this.#length && this.#size === length) return;
      await this.#flush();
      this.#digest = length === 0 ? createHash("sha256") : undefined;
      this.#cut(length, Infinity);
      this.#length = length;
      this.#measure();
    });
  }

  async settled(): Promise<void> {
    await this.#queue;
  }

  async finish(modified: number | null): Promise<number> {
    await this.flush();
    return modified === null ? await this.#start.now() : Math.round(modified);
  }

  unchanged(): boolean {
    return true;
  }

  /** Sends and records all bytes. @throws {BargeError} when they can't be, or the upload is lost */
  async flush(): Promise<void> {
    await this.#enqueue(async () => {
      await this.#flush();
      await this.record();
    });
  }

  /**
   * Sends and records the bytes so far, while more may be written.
   *
   * @throws {BargeError} as {@link flush}
   */
  async checkpoint(): Promise<void> {
    await this.#enqueue(() => this.#send());
    await this.#sent();
    await this.record();
  }

  /**
   * Records all bytes; after a failure of the object store, only the bytes that the store has.
   *
   * @returns the number of recorded bytes from the start to the first gap, and the length
   * @throws {BargeError} when they can't be recorded, or the upload is lost
   */
  async keep(): Promise<{ readonly size: number; readonly length: number }> {
    try {
      await this.flush();
      return { size: this.#size, length: this.#length };
    } catch (error) {
      if (!this.#failure) throw error;
      await this.#queue;
      await Promise.all(this.#sending);
      await this.record();
      const size = wholeEnd(this.#pieces.filter(({ object }) => !this.#unsent.has(object)));
      return { size, length: size };
    }
  }

  /** Records the pieces that are sent. */
  async record(): Promise<void> {
    while (this.#recording) await this.#recording.catch(() => {/* reported to its caller */});
    const sent = this.#pieces.filter(({ object }) => !this.#unsent.has(object));
    const current = new Map(sent.map((piece) => [piece.at, piece]));
    const gone = [...this.#recorded]
      .filter(([at, piece]) => current.get(at) !== piece)
      .map(([at]) => at);
    const added = sent.filter((piece) => this.#recorded.get(piece.at) !== piece);
    if (gone.length + added.length === 0) return;
    this.#recording = this.#start.record(gone, added).then(() => {
      for (const at of gone) this.#recorded.delete(at);
      for (const piece of added) this.#recorded.set(piece.at, piece);
    }).finally(() => this.#recording = undefined);
    await this.#recording;
  }

  /** Drops the bytes that were not sent. */
  [Symbol.dispose](): void {
    this.#run?.memory?.abandon();
    this.#run = undefined;
  }

  /** The objects that the store does not have yet. A write may have cut their pieces meanwhile. */
  readonly #unsent = new Set<number>();

  /** Runs work after all earlier work, and fails once the upload has failed or is lost. */
  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(() => {
      this.#start.check();
      if (this.#failure) throw this.#failure;
      return work();
    });
    this.#queue = result.catch(() => {/* reported to its caller */});
    return result;
  }

  async #writeAt(position: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    const appends = position === this.#size && this.#size === this.#length;
    for (let done = 0; done < bytes.length;) {
      const at = position + done;
      const run = await this.#runAt(at);
      const offset = at - run.at;
      const part = bytes.subarray(done, done + run.bytes.length - offset);
      run.bytes.set(part, offset);
      run.length = Math.max(run.length, offset + part.length);
      done += part.length;
      this.#length = Math.max(this.#length, run.at + run.length);
      if (run.length === run.bytes.length) await this.#send();
    }
    if (appends) this.#size = this.#length;
    else this.#measure();
  }

  /** Returns the run that a byte at a position joins. */
  async #runAt(at: number): Promise<Run> {
    const run = this.#run;
    if (run && at >= run.at && at <= run.at + run.length) return run;
    await this.#send();
    if (this.#pieces.length > maxScattered && at !== this.#length) {
      throw new BargeError("refused", "it is written in too many scattered parts", {
        hint: "send it from its start to its end",
      });
    }
    return this.#run = startRun(at, this.#pieceBytes);
  }

  /** Begins to send the run, as soon as few enough objects are on their way. */
  async #send(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    this.#run = undefined;
    if (run.length === 0) return run.memory?.[Symbol.dispose]();
    if (run.length === run.bytes.length) {
      this.#pieceBytes = Math.min(2 * this.#pieceBytes, maxPieceBytes);
    }
    while (this.#sending.size >= (isMemoryShort() ? minInFlight : maxInFlight)) {
      await Promise.race(this.#sending);
    }
    const object = await this.#takeObject(run);
    const piece: SentPiece = { at: run.at, size: run.length, object, start: 0, sha256: null };
    this.#cut(piece.at, piece.at + piece.size);
    this.#pieces.push(piece);
    if (this.#pieces.length > 1 && this.#pieces.at(-2)!.at > piece.at) {
      this.#pieces.sort((a, b) => a.at - b.at);
    }
    this.#unsent.add(object);
    const sending = this.#sendObject(piece, run).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  /** Takes a name for the object of a run. Without a name the bytes of the run are lost, so the upload fails. */
  async #takeObject(run: Run): Promise<number> {
    try {
      return await this.#parts.objects.take();
    } catch (error) {
      run.memory?.[Symbol.dispose]();
      this.#failure ??= error;
      throw error;
    }
  }

  /** Sends the bytes of a piece. A failure fails the next calls of the upload. */
  async #sendObject(piece: SentPiece, run: Run): Promise<void> {
    const bytes = run.bytes.subarray(0, run.length);
    try {
      const sha256 = piece.sha256 = await sha256Of(bytes);
      await this.#parts.bucket.put(objectName(piece.object), bytes, sha256);
      reached("sent");
      this.#unsent.delete(piece.object);
    } catch (error) {
      this.#failure ??= error;
    } finally {
      run.memory?.[Symbol.dispose]();
    }
  }

  async #flush(): Promise<void> {
    await this.#send();
    await this.#sent();
  }

  /** Waits until the objects that are on their way now are sent. */
  async #sent(): Promise<void> {
    await Promise.all(this.#sending);
    if (this.#failure) throw this.#failure;
  }

  /** Cuts the bytes [from, to) out of the pieces. */
  #cut(from: number, to: number): void {
    if (!this.#pieces.some(({ at, size }) => at < to && at + size > from)) return;
    this.#pieces = this.#pieces.flatMap((piece) => {
      const { at, size, object, start } = piece;
      const end = at + size;
      if (at >= to || end <= from) return [piece];
      const before = { at, size: from - at, object, start, sha256: null };
      const after = { at: to, size: end - to, object, start: start + to - at, sha256: null };
      return [before, after].filter(({ size }) => size > 0);
    });
  }

  /** Fills gaps with pieces of zeros, which share one object. */
  async #fill(): Promise<void> {
    await this.#flush();
    const gaps: { at: number; end: number }[] = [];
    let end = 0;
    for (const { at, size } of this.#pieces) {
      if (at > end) gaps.push({ at: end, end: at });
      end = at + size;
    }
    if (end < this.#length) gaps.push({ at: end, end: this.#length });
    if (gaps.length === 0) return;
    const largest = Math.max(...gaps.map(({ at, end }) => end - at));
    const zeros = new Uint8Array(Math.min(largest, maxPieceBytes));
    const object = await this.#parts.objects.take();
    await this.#parts.bucket.put(objectName(object), zeros, hash("sha256", zeros, "hex"));
    for (const gap of gaps) {
      for (let at = gap.at; at < gap.end; at += zeros.length) {
        const size = Math.min(zeros.length, gap.end - at);
        this.#pieces.push({ at, size, object, start: 0, sha256: null });
      }
    }
    this.#pieces.sort((a, b) => a.at - b.at);
    this.#size = this.#length;
  }

  /** Recomputes the number of bytes before the first gap. */
  #measure(): void {
    const { at, length } = this.#run ?? { at: 0, length: 0 };
    const extents = [...this.#pieces, { at, size: length }].sort((a, b) => a.at - b.at);
    this.#size = wholeEnd(extents);
  }

  async #read(piece: Piece): Promise<Uint8Array> {
    return await readPiece(this.#parts, piece);
  }
}

/** Returns the end of the first bytes without a gap. @param extents sorted */
function wholeEnd(extents: readonly Pick<Piece, "at" | "size">[]): number {
  let end = 0;
  for (const { at, size } of extents) {
    if (at > end) break;
    end = Math.max(end, at + size);
  }
  return end;
}
