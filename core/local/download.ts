/** An open file: read from any offset, with the digest of the whole at its end. */
import { createHash, type Hash } from "node:crypto";
import { BargeError, typed } from "../error.ts";
import { borrow, giveBack, minBufferBytes } from "../disk/buffer_pool.ts";
import { BlockingCalls } from "../disk/blocking_calls.ts";
import type { FileContent, SmallFile } from "../storage/content.ts";
import type { Undigested } from "../storage/entry.ts";
import type { Place } from "../storage/place.ts";
import type { Parts } from "./parts.ts";
import { stagedPlace } from "./vault/staging.ts";
import { foundOf } from "./vault/vault.ts";
import type { Found } from "./vault/entry.ts";

/** From this size on, the next piece is read while one is sent. */
const readAheadBytes = 1024 * 1024;
/** Small pieces are read on this thread, where the disk is quick. */
const reads = new BlockingCalls(0.2);

/**
 * Opens a file and goes to an offset. Where no digest is stored, it looks again under the write lock:
 * a rename may be under way.
 *
 * @param offset where to begin, in bytes
 * @throws {BargeError} `not-found`, `denied`, `exists` (a folder), `usage` (offset beyond the end)
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

/** Opens the staged bytes of an upload. @param modified their time, in ms since 1970 */
export function openStaged({ vault }: Parts, upload: number, modified: number): Download {
  const { file, found } = vault.open(stagedPlace(upload));
  return new Download(file, { size: found.size, modified }, 0, null, "added");
}

/** Reads a file at once. @returns undefined where it has more than `maxBytes` bytes */
export function readSmall(parts: Parts, place: Place, maxBytes: number): SmallFile | undefined {
  const download = openNow(parts, place, 0);
  try {
    if (download.size > maxBytes) return undefined;
    const bytes = download.rest();
    const { modified, undigested } = download;
    return { bytes, modified, sha256: download.digest(), undigested };
  } finally {
    download.close();
  }
}

/** Reads files again under one write lock. @returns a file as it was where it can't be read now */
export function readAgain(
  parts: Parts,
  files: readonly (readonly [Place, SmallFile])[],
): SmallFile[] {
  if (files.length === 0) return [];
  const read = ([place, file]: readonly [Place, SmallFile]) => {
    try {
      return readSmall(parts, place, file.bytes.length) ?? file;
    } catch (error) {
      if (error instanceof BargeError) return file;
      throw error;
    }
  };
  return parts.db.transaction(() => files.map(read));
}

/** Opens a file at once, at its start, and looks for its digest once. */
function openNow({ ledger, vault }: Parts, place: Place, offset: number): Download {
  const { file, found } = vault.open(place);
  try {
    if (offset > found.size) {
      throw new BargeError("usage", `offset ${offset} is beyond its end at ${found.size}`);
    }
    const sha256 = ledger.digest(place, found) ?? null;
    const undigested = sha256 ? null : ledger.file(place) ? "changed" : "added";
    return new Download(file, found, offset, sha256, undigested);
  } catch (error) {
    file.close();
    throw typed(error);
  }
}

export class Download implements FileContent {
  readonly size: number;
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** The stored digest; null when there is none, and it is computed as it is read. */
  readonly sha256: string | null;
  /** Why there is no stored digest; null when there is one. */
  readonly undigested: Undigested | null;
  readonly #file: Deno.FsFile;
  #hash: Hash | undefined;
  #at: number;
  /** Ends when what {@link readAt} was asked for is done. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    file: Deno.FsFile,
    { size, modified }: Pick<Found, "size" | "modified">,
    offset: number,
    sha256: string | null,
    undigested: Undigested | null,
  ) {
    this.#file = file;
    this.size = size;
    this.offset = offset;
    this.modified = modified;
    this.sha256 = sha256;
    this.undigested = undigested;
    this.#hash = sha256 === null ? createHash("sha256") : undefined;
    this.#at = offset;
  }

  /** Goes to the offset; digests what lies before it, where no digest is stored. */
  async begin(): Promise<void> {
    if (this.offset === 0) return;
    if (!this.#hash) {
      await this.#file.seek(this.offset, Deno.SeekMode.Start);
      return;
    }
    const buffer = borrow();
    try {
      for (let at = 0; at < this.offset;) {
        const n = await this.#file.read(buffer.subarray(0, this.offset - at));
        if (!n) throw shrank();
        this.#hash.update(buffer.subarray(0, n));
        at += n;
      }
    } finally {
      giveBack(buffer);
    }
  }

  /** Its time as it is now, in ms since 1970: it may have been set since it was opened. */
  modifiedNow(): number {
    try {
      return foundOf(this.#file.statSync()).modified;
    } catch (error) {
      throw typed(error);
    }
  }

  /** Goes on at another offset, for a part: a digest that is not stored can't be told then. */
  async seek(offset: number): Promise<void> {
    this.#hash = undefined;
    await this.#file.seek(offset, Deno.SeekMode.Start);
    this.#at = offset;
  }

  /**
   * Reads on, never beyond the size that was told.
   *
   * @returns how many bytes; 0 at the end
   * @throws {BargeError} `changed` when the file was cut short meanwhile
   */
  async read(into: Uint8Array): Promise<number> {
    const want = Math.min(into.length, this.size - this.#at);
    if (want === 0) return 0;
    try {
      const n = await this.#file.read(into.subarray(0, want));
      return this.#took(into, n);
    } catch (error) {
      throw typed(error);
    }
  }

  /**
   * Yields the rest of the file, or `length` bytes of it, in pieces. A piece stays unchanged until the next
   * one is asked for.
   *
   * A few transfers of large files get large buffers, and another thread reads the next piece while one is
   * sent. Others get small buffers, which this thread reads sooner than another thread would; they are
   * borrowed for each piece, so that most transfers share one that is in the CPU's caches.
   *
   * @param length bytes
   * @param most the longest piece, in bytes
   * @throws {BargeError} as {@link read}
   */
  async *pieces(
    length = this.size - this.#at,
    most = Infinity,
  ): AsyncGenerator<Uint8Array, void, void> {
    for (let left = length; left > 0;) {
      const buffer = borrow(Math.min(left > readAheadBytes ? left : minBufferBytes, most));
      if (buffer.length > minBufferBytes || !reads.allowed) {
        return yield* this.#ahead(buffer, left, most);
      }
      try {
        const n = this.#readHere(buffer.subarray(0, Math.min(left, most)));
        if (n === 0) return;
        left -= n;
        yield buffer.subarray(0, n);
      } finally {
        giveBack(buffer);
      }
    }
  }

  /** @param one is given back */
  async *#ahead(
    one: ReturnType<typeof borrow>,
    left: number,
    most: number,
  ): AsyncGenerator<Uint8Array, void, void> {
    const next = (into: Uint8Array) =>
      left > 0 ? this.read(into.subarray(0, Math.min(left, most))) : Promise.resolve(0);
    let other: typeof one | undefined;
    let reading = next(one);
    try {
      while (true) {
        const n = await reading;
        if (n === 0) return;
        left -= n;
        if (left > 0) other ??= borrow(Math.min(left, most));
        reading = next(other ?? one);
        reading.catch(() => {/* told when it is waited for */});
        yield one.subarray(0, n);
        if (other) [one, other] = [other, one];
      }
    } finally {
      await reading.catch(() => {/* nobody wants it any more */});
      giveBack(one);
      if (other) giveBack(other);
    }
  }

  /**
   * Reads anywhere, for clients that say where; calls are carried out in their order. What
   * {@link read} and {@link digest} tell is of no use after it.
   *
   * @param position bytes from the start
   * @returns how many bytes; 0 at the end
   */
  readAt(position: number, into: Uint8Array): Promise<number> {
    const mine = this.#turn.then(async () => {
      try {
        if (position !== this.#at) this.#file.seekSync(position, Deno.SeekMode.Start);
        this.#at = NaN;
        const n = await this.#file.read(into) ?? 0;
        this.#at = position + n;
        return n;
      } catch (error) {
        throw typed(error);
      }
    });
    this.#turn = mine.catch(() => {/* whoever called is told */});
    return mine;
  }

  /**
   * All that is left, or so much of it, at once: for a small file, which is read before another
   * thread could be asked.
   */
  rest(length = this.size - this.#at): Uint8Array {
    const bytes = new Uint8Array(length);
    try {
      for (let at = 0; at < bytes.length;) {
        const piece = bytes.subarray(at);
        at += this.#took(piece, this.#file.readSync(piece));
      }
      return bytes;
    } catch (error) {
      throw typed(error);
    }
  }

  /** The whole file's SHA-256, in hex; once all is read. */
  digest(): string {
    return this.sha256 ?? this.#hash!.copy().digest("hex");
  }

  close(): void {
    this.#file.close();
  }

  /** As {@link read}, on this thread. */
  #readHere(into: Uint8Array): number {
    const want = Math.min(into.length, this.size - this.#at);
    if (want === 0) return 0;
    try {
      return this.#took(into, reads.run(() => this.#file.readSync(into.subarray(0, want))));
    } catch (error) {
      throw typed(error);
    }
  }

  #took(bytes: Uint8Array, n: number | null): number {
    if (!n) throw shrank();
    this.#hash?.update(bytes.subarray(0, n));
    this.#at += n;
    return n;
  }
}

function shrank(): BargeError {
  return new BargeError("changed", "the file was cut short on the server while it was read");
}
