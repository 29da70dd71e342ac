/**
 * Open files and folders of a client: files that it reads or writes, folders that it lists.
 *
 *   opened -> (requests) -> closed           a written file is committed only then
 *                       \-> abandoned        the client is gone: an upload becomes a partial upload
 *
 * The handle of a failed upload stays open and refuses the client's further requests, since several
 * are under way. Closing it returns the failure again, so that no client takes it for a file.
 */
import { BargeError } from "../../error.ts";
import type { Entry } from "../../protocol/message.ts";
import type { FileContent } from "../../storage/content.ts";
import type { Presence } from "../../watch/roster.ts";
import type { Incoming } from "../../upload/incoming.ts";
import { type Access, outcomeOf } from "../access.ts";
import { explain } from "../failure.ts";
import { badHandle } from "./status.ts";

interface Opened {
  /** The path of an upload changes with a rename. */
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
  /** Does every write go to its end, whatever its offset? */
  readonly append: boolean;
  readonly reads: boolean;
  readonly writes: boolean;
  /** The end of the file, including writes that are not done yet. */
  end: number;
  /** The time of the last write, in ms since 1970; a time that was set is the upload's. */
  modified: number;
  /** True if it differs from the existing file; if not, closing it changes nothing. */
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

export type Handle = Reading | Writing | Listing;

/** The most handles of one connection. */
export const maxHandles = 256;

/** Counts the handles of one connection, over all its channels. */
export class Places {
  #taken = 0;

  take(): void {
    if (this.#taken >= maxHandles) {
      throw new BargeError("refused", `there are ${maxHandles} open handles already`, {
        hint: "close some",
      });
    }
    this.#taken++;
  }

  leave(): void {
    this.#taken--;
  }
}

/** The handles of one channel, by numbers that are not used twice. */
export class Handles {
  readonly #open = new Map<number, Handle>();
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

  /** Adds a handle. @throws {BargeError} `refused` when there are too many; as `make` */
  async add(make: () => Promise<Handle> | Handle): Promise<Uint8Array> {
    this.#places.take();
    try {
      const handle = await make();
      const number = this.#next++;
      this.#open.set(number, handle);
      this.#presence.doing = handle.access;
      const name = new Uint8Array(4);
      new DataView(name.buffer).setUint32(0, number);
      return name;
    } catch (error) {
      this.#places.leave();
      throw error;
    }
  }

  /** @throws {BargeError} `refused` if it does not exist, or is of another kind */
  get<K extends Handle["kind"]>(
    name: Uint8Array,
    ...kinds: readonly K[]
  ): Extract<Handle, { kind: K }> {
    const handle = this.#open.get(numberOf(name));
    if (!handle || kinds.length > 0 && !kinds.includes(handle.kind as K)) throw badHandle();
    return handle as Extract<Handle, { kind: K }>;
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
    return this.#writers((other) => other === path || other.startsWith(`${path}/`));
  }

  /** Closes a handle. @throws {BargeError} the reason why an upload is no file */
  async close(name: Uint8Array): Promise<void> {
    const handle = this.get(name);
    this.#open.delete(numberOf(name));
    this.#presence.doing = [...this.#open.values()].at(-1)?.access ?? null;
    try {
      await close(handle);
      handle.access.end("ok");
    } catch (error) {
      handle.access.end(outcomeOf(error));
      throw error;
    } finally {
      this.#places.leave();
    }
  }

  /**
   * Closes all handles, because the client has gone. A handle that fails to close keeps no other
   * one open.
   *
   * @throws {AggregateError} of all failures
   */
  async abandon(): Promise<void> {
    const failures: unknown[] = [];
    for (const handle of this.#open.values()) {
      try {
        await abandon(handle);
      } catch (error) {
        failures.push(error);
      }
      handle.access.end(handle.kind === "writing" ? "unavailable" : "ok");
      this.#places.leave();
    }
    this.#open.clear();
    this.#presence.doing = null;
    if (failures.length === 0) return;
    const [cause] = failures;
    throw new AggregateError(failures, "cannot close open files", { cause });
  }

  #writers(fits: (path: string) => boolean): Writing[] {
    return this.#open.values().filter((handle): handle is Writing =>
      handle.kind === "writing" && fits(handle.path) && !handle.failure && !handle.removed
    ).toArray();
  }
}

/** Notes that the upload differs from the existing file. */
export function changed(handle: Writing): void {
  handle.changed = true;
  handle.modified = Date.now();
}

/** Ends the upload with its first failure, and returns that. */
export async function failWriting(handle: Writing, error: unknown): Promise<BargeError> {
  if (handle.failure) return handle.failure;
  handle.failure = explain(error, { op: "put", path: handle.path });
  handle.access.end(handle.failure.kind);
  await handle.upload.fail(handle.failure);
  return handle.failure;
}

async function close(handle: Handle): Promise<void> {
  if (handle.kind === "reading") return handle.file.close();
  if (handle.kind === "listing") return void await handle.batches.return();
  if (handle.failure) throw handle.failure;
  const { upload } = handle;
  if (upload.ended) return;
  if (handle.removed || !handle.changed) await upload.drop();
  else await upload.commit(null, true);
}

async function abandon(handle: Handle): Promise<void> {
  if (handle.kind === "reading") return handle.file.close();
  if (handle.kind === "listing") return void await handle.batches.return();
  if (handle.changed) await handle.upload.detach();
  else await handle.upload.drop();
}

/** Returns the number in a handle's name, which has four bytes; 0 for a malformed one. */
function numberOf(name: Uint8Array): number {
  return name.length === 4 ? new DataView(name.buffer, name.byteOffset).getUint32(0) : 0;
}
