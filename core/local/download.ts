/** An open file: read from any offset, with the digest of the whole at its end. */
import { createHash, type Hash } from "node:crypto";
import { BlockingCalls } from "../disk/blocking_calls.ts";
import { borrow, giveBack, minBufferBytes } from "../disk/buffer_pool.ts";
import { BargeError, typed } from "../error.ts";
import type { FileContent, SmallFile } from "../storage/content.ts";
import type { Place } from "../storage/place.ts";
import { takeTurns, turnLength } from "../watch/fairness.ts";
import { sameFile } from "./entry.ts";
import type { FileRow } from "./ledger/ledger.ts";
import type { Parts } from "./parts.ts";
import { readInto } from "./vault/digest.ts";
import { stagedPlace } from "./vault/staging.ts";
import { foundOf } from "./vault/vault.ts";

/** The fewest bytes of a transfer whose next piece is read while one is sent. */
const readAheadBytes = 1024 * 1024;
/** Decides whether small pieces are read on this thread: while the disk is quick. */
const reads = new BlockingCalls(0.2);

/**
 * Opens a file: see `Tree.open`. Where no digest is stored, it opens the file again under the write
 * lock: a rename may be under way.
 */
export async function openDownload(
  parts: Parts,
  place: Place,
  offset: number,
): Promise<Download> {
  let download = openNow(parts, place, offset);
  if (download.sha256 === null) {
    download.close();
    download = parts.db.transaction(() => openNow(parts, place, offset));
  }
  try {
    await download.begin();
    return download;
  } catch (error) {
    download.close();
    throw typed(error);
  }
}

/** Opens the staged bytes of an upload: see `Uploads.openStaged`. */
export function openStaged({ vault }: Parts, upload: number, modified: number): Download {
  const { file, found: { size } } = vault.open(stagedPlace(upload));
  return new Download(file, { size, modified, offset: 0, sha256: null, undigested: "added" });
}

/** Reads small files, one after another: see `Tree.readSmall`. */
export async function readSmall(
  parts: Parts,
  places: readonly Place[],
  maxBytes: number,
): Promise<(SmallFile | BargeError | undefined)[]> {
  const outcomes: (SmallFile | BargeError | undefined)[] = [];
  let room = maxBytes;
  for (let at = 0; at < places.length; at += turnLength) {
    if (at > 0) await takeTurns(at);
    const batch = places.slice(at, at + turnLength);
    const rows = rowsOf(parts, batch);
    for (const place of batch) {
      try {
        const file = readNow(parts, place, room, rows(place));
        room -= file?.bytes.length ?? 0;
        outcomes.push(file);
      } catch (error) {
        outcomes.push(typed(error));
      }
    }
  }
  return outcomes;
}

/** Finds the ledger's rows of several places, with one statement for each folder. */
function rowsOf(
  { ledger }: Parts,
  places: readonly Place[],
): (place: Place) => FileRow | undefined {
  const folders = Map.groupBy(places, ({ dir }) => dir);
  const rows = new Map(
    folders.entries().map((
      [dir, files],
    ) => [dir, ledger.named(dir, files.map(({ name }) => name))]),
  );
  return ({ dir, name }) => rows.get(dir)?.get(name);
}

/** Reads a small file; undefined for one that has more bytes. */
function readNow(
  parts: Parts,
  place: Place,
  maxBytes: number,
  row = parts.ledger.file(place),
): SmallFile | undefined {
  const download = openNow(parts, place, 0, row);
  try {
    if (download.size > maxBytes) return undefined;
    const bytes = download.rest();
    const { modified, undigested } = download;
    return { bytes, modified, sha256: download.digest(), undigested };
  } finally {
    download.close();
  }
}

/** Reads small files again under one write lock: see `Tree.readAgain`. */
export function readAgain(
  parts: Parts,
  files: readonly (readonly [Place, SmallFile])[],
): SmallFile[] {
  if (files.length === 0) return [];
  const read = ([place, file]: readonly [Place, SmallFile]) => {
    try {
      return readNow(parts, place, file.bytes.length) ?? file;
    } catch (error) {
      if (error instanceof BargeError) return file;
      throw error;
    }
  };
  return parts.db.transaction(() => files.map(read));
}

/** Opens a file. @param row its row in the ledger, from before: a file that has changed since has no digest */
function openNow(
  { ledger, vault }: Parts,
  place: Place,
  offset: number,
  row = ledger.file(place),
): Download {
  const { file, found } = vault.open(place);
  try {
    if (offset > found.size) {
      throw new BargeError("usage", `offset ${offset} is beyond its end at ${found.size}`);
    }
    const sha256 = row && sameFile(row, found) ? row.sha256 : null;
    const undigested = sha256 ? null : row ? "changed" : "added";
    const { size, modified } = found;
    return new Download(file, { size, modified, offset, sha256, undigested });
  } catch (error) {
    file.close();
    throw typed(error);
  }
}

type Facts = Pick<FileContent, "size" | "modified" | "offset" | "sha256" | "undigested">;

export class Download implements FileContent {
  readonly size: Facts["size"];
  readonly modified: Facts["modified"];
  readonly offset: Facts["offset"];
  readonly sha256: Facts["sha256"];
  readonly undigested: Facts["undigested"];
  readonly #file: Deno.FsFile;
  /** The digest of the bytes that were read so far; undefined where a digest is stored. */
  #hash: Hash | undefined;
  #position: number;
  /** Resolves when the last call of {@link readAt} has ended. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(file: Deno.FsFile, { size, modified, offset, sha256, undigested }: Facts) {
    this.#file = file;
    this.size = size;
    this.modified = modified;
    this.offset = offset;
    this.sha256 = sha256;
    this.undigested = undigested;
    this.#hash = sha256 === null ? createHash("sha256") : undefined;
    this.#position = offset;
  }

  /** Goes to the offset, and digests the bytes before it where no digest is stored. */
  async begin(): Promise<void> {
    if (this.offset === 0) return;
    if (!this.#hash) this.#file.seekSync(this.offset, Deno.SeekMode.Start);
    else if (await readInto(this.#hash, this.#file, this.offset) < this.offset) throw shrank();
  }

  modifiedNow(): number {
    try {
      return foundOf(this.#file.statSync()).modified;
    } catch (error) {
      throw typed(error);
    }
  }

  /** Does not touch the disk, so it runs on this thread. */
  // deno-lint-ignore require-await
  async seek(offset: number): Promise<void> {
    this.#hash = undefined;
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    this.#position = offset;
  }

  async read(into: Uint8Array): Promise<number> {
    const piece = this.#clip(into);
    if (piece.length === 0) return 0;
    try {
      return this.#count(piece, await this.#file.read(piece));
    } catch (error) {
      throw typed(error);
    }
  }

  /**
   * Yields pieces: see `FileContent.pieces`. A few transfers of large files get large buffers, and
   * another thread reads the next piece while one is sent. Other transfers get small buffers, into which this
   * thread reads faster than it could hand the read to another thread. A small buffer is borrowed for each
   * piece, so that most transfers share one buffer, which is in the CPU's caches.
   */
  async *pieces(
    length = this.size - this.#position,
    maxPieceBytes = Infinity,
  ): AsyncGenerator<Uint8Array, void, void> {
    for (let left = length; left > 0;) {
      const buffer = borrow(Math.min(left > readAheadBytes ? left : minBufferBytes, maxPieceBytes));
      if (buffer.length > minBufferBytes || !reads.allowed) {
        return yield* this.#readAhead(buffer, left, maxPieceBytes);
      }
      try {
        const n = this.#readHere(buffer.subarray(0, Math.min(left, maxPieceBytes)));
        if (n === 0) return;
        left -= n;
        yield buffer.subarray(0, n);
      } finally {
        giveBack(buffer);
      }
    }
  }

  /** Yields pieces, each read while the one before is sent. @param one a buffer, which it gives back */
  async *#readAhead(
    one: ReturnType<typeof borrow>,
    left: number,
    maxPieceBytes: number,
  ): AsyncGenerator<Uint8Array, void, void> {
    const next = (into: Uint8Array) =>
      left > 0 ? this.read(into.subarray(0, Math.min(left, maxPieceBytes))) : Promise.resolve(0);
    let other: typeof one | undefined;
    let reading = next(one);
    try {
      while (true) {
        const n = await reading;
        if (n === 0) return;
        left -= n;
        if (left > 0) other ??= borrow(Math.min(left, maxPieceBytes));
        reading = next(other ?? one);
        reading.catch(() => {/* thrown when it is awaited */});
        yield one.subarray(0, n);
        if (other) [one, other] = [other, one];
      }
    } finally {
      await reading.catch(() => {/* the caller has stopped */});
      giveBack(one);
      if (other) giveBack(other);
    }
  }

  readAt(position: number, into: Uint8Array): Promise<number> {
    const mine = this.#turn.then(async () => {
      try {
        if (position !== this.#position) this.#file.seekSync(position, Deno.SeekMode.Start);
        this.#position = NaN; // until the read has succeeded
        const here = into.length <= minBufferBytes && reads.allowed;
        const n = here
          ? reads.run(() => this.#file.readSync(into)) ?? 0
          : await this.#file.read(into) ?? 0;
        this.#position = position + n;
        return n;
      } catch (error) {
        throw typed(error);
      }
    });
    this.#turn = mine.catch(() => {/* thrown to its caller */});
    return mine;
  }

  /** Reads on this thread, which for a small file is faster than another one. */
  rest(length = this.size - this.#position): Uint8Array {
    const bytes = new Uint8Array(length);
    try {
      for (let done = 0; done < length;) {
        const piece = bytes.subarray(done);
        done += this.#count(piece, this.#file.readSync(piece));
      }
      return bytes;
    } catch (error) {
      throw typed(error);
    }
  }

  digest(): string {
    return this.sha256 ?? this.#hash!.copy().digest("hex");
  }

  close(): void {
    this.#file.close();
  }

  /** Does the same as {@link read}, on this thread. */
  #readHere(into: Uint8Array): number {
    const piece = this.#clip(into);
    if (piece.length === 0) return 0;
    try {
      return this.#count(piece, reads.run(() => this.#file.readSync(piece)));
    } catch (error) {
      throw typed(error);
    }
  }

  /** Cuts a buffer to the bytes that are left. */
  #clip(into: Uint8Array): Uint8Array {
    return into.subarray(0, this.size - this.#position);
  }

  #count(bytes: Uint8Array, n: number | null): number {
    if (!n) throw shrank();
    this.#hash?.update(bytes.subarray(0, n));
    this.#position += n;
    return n;
  }
}

function shrank(): BargeError {
  return new BargeError("changed", "the file was cut short on the server while it was read");
}
