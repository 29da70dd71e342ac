/**
 * Open files and folders of a client: files that it reads or writes, folders that it lists.
 *
 *   opened -> (requests) -> closed           a written file is committed only then
 *                       \-> abandoned        the client is gone: an upload becomes a partial upload
 *
 * The handle of a failed upload stays open and refuses further requests, since the client may have sent
 * several already. Closing the handle returns the failure again, so that no client takes the upload for
 * a complete file.
 */
import { Buffer } from "node:buffer";
import { BargeError } from "../../error.ts";
import type { Entry } from "../../protocol/message.ts";
import { isWithin } from "../../storage/path.ts";
import type { FileContent } from "../../storage/content.ts";
import type { Presence } from "../../watch/roster.ts";
import type { Incoming } from "../../upload/incoming.ts";
import { type Access, outcomeOf } from "../access.ts";
import { explain } from "../failure.ts";

interface Opened {
  /** Changes when the file of an upload is renamed. */
  path: string;
  /** Ended when it is closed; counts the bytes. */
  readonly access: Access;
}

export interface Reading extends Opened {
  readonly kind: "reading";
  readonly file: FileContent;
}

export interface Writing extends Opened {
  readonly kind: "writing";
  readonly upload: Incoming;
  /** True if every write goes to the end, whatever its offset. */
  readonly append: boolean;
  /** True if the client may read with this handle, too. */
  readonly reads: boolean;
  /** The end of the file, including writes that are not done yet. */
  end: number;
  /** The time of the last write, in ms since 1970; a time that was set is the upload's. */
  modified: number;
  /** True if the upload differs from the existing file; if not, CLOSE changes nothing. */
  changed: boolean;
  /** True if the file was removed or replaced; the upload is dropped when it is closed. */
  removed: boolean;
  failure?: BargeError;
}

export interface Listing extends Opened {
  readonly kind: "listing";
  readonly batches: AsyncGenerator<Entry[], void, void>;
  /** Entries that were read and not sent yet. */
  rest: Entry[];
}

export type OpenFile = Reading | Writing | Listing;

/** The most handles of one connection. */
export const maxHandles = 256;

/** The number of open handles of one connection, over all its channels. */
export interface Places {
  taken: number;
}

/** The handles of one channel, by numbers that are not used twice. */
export class Handles {
  /** By their names in hex, the one that was opened last at the end. */
  readonly #open = new Map<string, OpenFile>();
  readonly #places: Places;
  readonly #presence: Presence;
  #next = 1;

  /** @param presence shows the file or folder that was opened last */
  constructor(places: Places, presence: Presence) {
    this.#places = places;
    this.#presence = presence;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Adds a handle.
   *
   * @returns its name
   * @throws {BargeError} `refused` when there are too many; as `open`
   */
  async add(open: () => Promise<OpenFile>): Promise<Uint8Array> {
    if (this.#places.taken >= maxHandles) {
      const why = `there are ${maxHandles} open handles already`;
      throw new BargeError("refused", why, { hint: "close some" });
    }
    this.#places.taken++;
    try {
      const handle = await open();
      const name = Buffer.alloc(4);
      name.writeUInt32BE(this.#next++);
      this.#open.set(name.toHex(), handle);
      this.#presence.doing = handle.access;
      return name;
    } catch (error) {
      this.#places.taken--;
      throw error;
    }
  }

  /** @throws {BargeError} `refused` if it does not exist, or is of another kind */
  get<K extends OpenFile["kind"]>(
    name: Uint8Array,
    ...kinds: readonly K[]
  ): Extract<OpenFile, { kind: K }> {
    const handle = this.#open.get(name.toHex());
    if (!handle || kinds.length > 0 && !kinds.includes(handle.kind as K)) throw badHandle();
    return handle as Extract<OpenFile, { kind: K }>;
  }

  /** Returns a handle that can be read, and its bytes. @throws {BargeError} `refused` */
  readable(name: Uint8Array): { handle: Reading | Writing; source: FileContent | Incoming } {
    const handle = this.get(name, "reading", "writing");
    if (handle.kind === "reading") return { handle, source: handle.file };
    if (!handle.reads) throw badHandle();
    return { handle, source: handle.upload };
  }

  /** Returns the upload to a path that was opened last on this channel. */
  writing(path: string): Writing | undefined {
    return this.writersAt(path).at(-1);
  }

  /** Returns the uploads to a path. */
  writersAt(path: string): Writing[] {
    return this.#writers((other) => other === path);
  }

  /** Returns the uploads to a path and below it. */
  writersIn(path: string): Writing[] {
    return this.#writers((other) => isWithin(other, path));
  }

  /** Closes a handle. @throws {BargeError} the reason why an upload did not become a file */
  async close(name: Uint8Array): Promise<void> {
    const handle = this.get(name);
    this.#open.delete(name.toHex());
    this.#presence.doing = [...this.#open.values()].at(-1)?.access ?? null;
    try {
      await closeHandle(handle, false);
      handle.access.end("ok");
    } catch (error) {
      handle.access.end(outcomeOf(error));
      throw error;
    } finally {
      this.#places.taken--;
    }
  }

  /**
   * Closes all handles, because the client has gone. If one fails to close, the others are closed all
   * the same.
   *
   * @throws {AggregateError} of all failures
   */
  async abandon(): Promise<void> {
    const failures: unknown[] = [];
    for (const handle of this.#open.values()) {
      await closeHandle(handle, true).catch((error) => failures.push(error));
      handle.access.end(handle.kind === "writing" ? "unavailable" : "ok");
      this.#places.taken--;
    }
    this.#open.clear();
    this.#presence.doing = null;
    if (failures.length === 0) return;
    throw new AggregateError(failures, "cannot close open files", { cause: failures[0] });
  }

  #writers(fits: (path: string) => boolean): Writing[] {
    return this.#open.values().filter((handle): handle is Writing =>
      handle.kind === "writing" && fits(handle.path) && !handle.failure && !handle.removed
    ).toArray();
  }
}

/** Changes the bytes of an upload. A failure ends it. @throws {BargeError} its first failure */
export async function changeUpload(handle: Writing, change: () => Promise<void>): Promise<void> {
  if (handle.failure) throw handle.failure;
  handle.changed = true;
  handle.modified = Date.now();
  try {
    await change();
  } catch (error) {
    throw await failWriting(handle, error);
  }
}

/** Ends the upload with its first failure, and returns that. */
export async function failWriting(handle: Writing, error: unknown): Promise<BargeError> {
  if (handle.failure) return handle.failure;
  handle.failure = explain(error, { op: "put", path: handle.path });
  handle.access.end(handle.failure.kind);
  await handle.upload.fail(handle.failure);
  return handle.failure;
}

/** Closes a handle; once the client is gone, an upload becomes a partial upload. */
async function closeHandle(handle: OpenFile, gone: boolean): Promise<void> {
  if (handle.kind === "reading") return handle.file.close();
  if (handle.kind === "listing") return void await handle.batches.return();
  const { upload, changed, removed, failure } = handle;
  if (gone) return changed ? await upload.detach() : await upload.drop();
  if (failure) throw failure;
  if (upload.ended) return;
  if (removed || !changed) await upload.drop();
  else await upload.commit(null, true);
}

export function badHandle(): BargeError {
  return new BargeError("refused", "there is no such handle");
}
