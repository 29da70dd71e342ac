/**
 * One upload, from its first byte to a file: what `put` begins.
 *
 *   begun -> receiving -> committed            acknowledged, on disk, charged
 *                     \-> detached             cut off: can be continued, by whatever door
 *                     \-> dropped              wrong digest, refused, over quota, no space, cancelled
 *
 * Every end closes the staged file. An upload that is neither is continued by nobody else while it
 * moves: it says so every two seconds (`touch`), before it writes on. Each has a holder's mark of its
 * own, also those of one session.
 *
 * What can be continued is what is whole from the start. Before an upload writes behind a gap, or
 * over what was copied from the file that it replaces, that much is noted in the ledger, so that
 * nobody continues half of it when its writer, or this server, is gone without a word.
 */
import type { NewFile } from "../account/ledger.ts";
import type { Held, UploadRow } from "../account/reservation.ts";
import { BargeError, typed } from "../error.ts";
import { digestFile } from "../vault/digest.ts";
import { reached } from "../vault/fault.ts";
import type { Location } from "../vault/path.ts";
import type { Staged } from "../vault/staged.ts";
import { stagedPlace } from "../vault/staging.ts";
import { checkWrite } from "./access.ts";
import { giveUp, letGo } from "./half.ts";
import { checkUpload, tellCommitted } from "./hooks.ts";
import type { PutRequest } from "./put.ts";
import type { Session } from "./session.ts";
import type { Store } from "./store.ts";
import { checkFileTime } from "./file_time.ts";

/** What a committed upload has become. */
export interface Committed {
  readonly size: number;
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly replaced: boolean;
}

/** How much more is reserved at once for an upload of unknown size, in bytes. */
const growStep = 8 * 1024 * 1024;
const touchEvery = 2000;

/** What an upload is made of. */
export interface Begun {
  readonly session: Session;
  readonly request: PutRequest;
  readonly location: Location;
  readonly row: UploadRow;
  readonly staged: Staged;
  readonly heartbeat: Heartbeat;
  /** It was taken from a holder that had not moved, and might have moved once more. */
  readonly suspect: boolean;
}

export class Upload {
  readonly #begun: Begun;
  #modified: number | null;
  #reserved: number;
  /** Where what is whole from the start will end, when the writes that wait are done. */
  #next: number;
  /** Bytes at its start that come from the file that it is to replace. */
  #copied = 0;
  /** Has it written over those? Then it is no half of anything. */
  #inPlace = false;
  /** Does the ledger know that not all that is staged is whole? */
  #noted = false;
  #ended = false;

  constructor(begun: Begun) {
    this.#begun = begun;
    this.#modified = begun.request.modified;
    this.#reserved = begun.row.want;
    this.#next = begun.staged.size;
    begun.heartbeat.onBeat = () => this.#noteWhole();
  }

  /** Bytes that are staged, whole from the start: where {@link write} goes on. */
  get offset(): number {
    return this.#begun.staged.size;
  }

  /** Where the last staged byte ends. */
  get length(): number {
    return this.#begun.staged.length;
  }

  /** The SHA-256 of the bytes that it began with, in hex; null when there are none. */
  get prefix(): string | null {
    const { staged } = this.#begun;
    return staged.size === 0 ? null : staged.prefix();
  }

  /** Is it committed, detached or dropped? */
  get ended(): boolean {
    return this.#ended;
  }

  /** Notes that its sender is alive, though nothing comes. @throws {BargeError} `unavailable` when another took the upload over */
  beat(): void {
    this.#begun.heartbeat();
  }

  /** Drops the staged bytes: the client has others. */
  async restart(): Promise<void> {
    await this.truncate(0);
  }

  /**
   * Appends a piece. It must stay as it is until this resolves.
   *
   * @throws {BargeError} `over-quota`, `no-space`; `protocol` for more than was declared; `unavailable` when another took the upload over
   */
  async write(bytes: Uint8Array): Promise<void> {
    const { staged, heartbeat } = this.#begun;
    try {
      this.#room(staged.size + bytes.length);
      heartbeat();
      await staged.write(bytes);
    } catch (error) {
      throw typed(error);
    }
  }

  /**
   * Writes a piece anywhere, over what is there or beyond the end. It must stay as it is until this
   * resolves; calls are carried out in their order.
   *
   * @param position bytes from the start
   * @throws {BargeError} as {@link write}; `refused` for too many gaps
   */
  async writeAt(position: number, bytes: Uint8Array): Promise<void> {
    const { staged, heartbeat } = this.#begun;
    try {
      this.#room(position + bytes.length);
      const inPlace = position < this.#copied;
      const gap = position > this.#next;
      if (!gap) this.#next = Math.max(this.#next, position + bytes.length);
      if (inPlace && !this.#inPlace || gap && !this.#noted) {
        this.#inPlace ||= inPlace;
        this.#noteWhole(true);
      }
      heartbeat();
      await staged.writeAt(position, bytes);
    } catch (error) {
      throw typed(error);
    }
  }

  /**
   * Reads what is staged.
   *
   * @param position bytes from the start
   * @returns how many bytes; 0 at the end
   */
  async readAt(position: number, into: Uint8Array): Promise<number> {
    return await this.#begun.staged.readAt(position, into);
  }

  /**
   * Cuts it short, or makes it longer by zeros.
   *
   * @throws {BargeError} as {@link write}
   */
  async truncate(length: number): Promise<void> {
    const { staged, heartbeat } = this.#begun;
    try {
      this.#room(length);
      if (length > this.#next && !this.#noted) this.#noteWhole(true);
      this.#next = Math.min(this.#next, length);
      this.#copied = Math.min(this.#copied, length);
      heartbeat();
      await staged.truncate(length);
    } catch (error) {
      throw typed(error);
    }
  }

  /** Begins with bytes of the file that is to be replaced. @throws as {@link write} */
  async copyFrom(read: (into: Uint8Array) => Promise<number>, buffer: Uint8Array): Promise<void> {
    for (let n; (n = await read(buffer)) > 0;) await this.write(buffer.subarray(0, n));
    this.#copied = this.#next = this.offset;
  }

  /** The time that the file is to have, in ms since 1970. @throws {BargeError} `usage` */
  setModified(time: number): void {
    checkFileTime(time, this.#begun.request.path);
    this.#modified = time;
  }

  /** Waits until no call is under way: before it is detached or dropped while some may be. */
  async settled(): Promise<void> {
    await this.#begun.staged.settled();
  }

  /**
   * Ends it after a failed write: what can't become a file for want of room is dropped, so that the
   * room is there again; anything else is kept, to be continued.
   */
  fail(failure: BargeError): void {
    if (failure.kind === "over-quota" || failure.kind === "no-space") this.drop();
    else this.detach();
  }

  /**
   * Verifies and publishes.
   *
   * @param sha256 what the client says that the whole file's digest is; null if it can't say
   * @param verified did the door prove that all bytes arrived?
   * @param gone ends a check of it: nobody waits for the answer any more
   * @throws {BargeError} `digest` and `refused` (dropped), `protocol` for fewer bytes than declared
   *   (detached), and as `put` and `checkUpload` (detached)
   */
  async commit(
    sha256: string | null,
    verified: boolean,
    gone?: AbortSignal,
  ): Promise<Committed> {
    const { session: { store }, request: { size }, row, staged, heartbeat } = this.#begun;
    if (size !== null && staged.length !== size) {
      throw new BargeError("protocol", `${staged.length} of ${size} bytes arrived`);
    }
    try {
      const digest = await staged.digest(heartbeat);
      if (sha256 !== null && sha256 !== digest) {
        this.drop();
        throw otherDigest(digest, sha256);
      }
      if (this.#begun.suspect) await this.#readBack(digest);
      const facts: Facts = {
        ...await staged.finish(this.#modified, store.vault.durable),
        size: staged.length,
        sha256: digest,
        verified,
      };
      await checkUpload(this.#begun, facts, gone);
      await store.commits.enter(() => store.reservations.seal(row.id, row.holder!, facts));
      reached("sealed");
      const committed = await publish(this.#begun, facts);
      this.#end();
      return committed;
    } catch (error) {
      if (error instanceof BargeError && error.kind === "refused") this.drop();
      this.detach();
      throw typed(error);
    }
  }

  /**
   * Cut off: what is whole is kept, to be continued. Never throws for one that has ended. Nothing
   * may be under way.
   *
   * @param empty keep it also where nothing has arrived: it was announced, and is asked for again
   */
  detach(empty = false): void {
    if (this.#ended) return;
    if (this.#inPlace) return this.drop();
    const { session: { store }, row, staged } = this.#begun;
    this.#end();
    letGo(store, row, staged.size, { gaps: staged.size < staged.length, empty });
  }

  /** Given up: nothing is kept. */
  drop(): void {
    if (this.#end()) giveUp(this.#begun.session.store, this.#begun.row);
  }

  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#begun.staged[Symbol.dispose]();
    return true;
  }

  /** A write of the former holder's that was stuck on its way to the disk may have come after ours. */
  async #readBack(digest: string): Promise<void> {
    const { session: { store }, row } = this.#begun;
    const onDisk = await digestFile(store.vault, stagedPlace(row.id));
    if (onDisk.digest === digest) return;
    this.drop();
    throw new BargeError("unavailable", "two connections wrote to this upload at once", {
      hint: "send it again",
    });
  }

  /** Makes sure that so many bytes may be staged. */
  #room(total: number): void {
    const { size } = this.#begun.request;
    if (!Number.isSafeInteger(total)) throw new BargeError("usage", "no file is that large");
    if (size !== null && total > size) {
      throw new BargeError("protocol", `more than the declared ${size} bytes`);
    }
    if (total > this.#reserved) this.#grow(total);
  }

  #grow(total: number): void {
    const { session: { store: { reservations } }, row: { id, holder } } = this.#begun;
    const ahead = total + growStep;
    try {
      reservations.grow(id, holder!, ahead);
      this.#reserved = ahead;
    } catch (error) {
      if (!(error instanceof BargeError && error.kind === "over-quota")) throw error;
      reservations.grow(id, holder!, total);
      this.#reserved = total;
    }
  }

  /** Tells the ledger how much is whole: before the first gap, and every two seconds from then on. */
  #noteWhole(now = this.#noted): void {
    if (!now) return;
    const { session: { store }, row, staged } = this.#begun;
    const whole = this.#inPlace ? 0 : staged.size;
    const all = !this.#inPlace && this.#noted && staged.size === staged.length;
    store.reservations.keepWhole(row.id, row.holder!, all ? null : whole);
    this.#noted = !all;
  }
}

/** What has arrived, and is dropped, is not what the client says that it sent; both in hex. */
export function otherDigest(arrived: string, said: string): BargeError {
  return new BargeError("digest", `what arrived has SHA-256 ${arrived}, not ${said}`, {
    hint: "what had arrived was dropped; send it again",
  });
}

/** To be called with every piece: says every two seconds that an upload moves. */
export interface Heartbeat {
  (): void;
  /** Called with each beat. */
  onBeat?: () => void;
}

export function makeHeartbeat(store: Store, { id, holder }: UploadRow): Heartbeat {
  let last = performance.now();
  const heartbeat: Heartbeat = () => {
    const now = performance.now();
    if (now - last < touchEvery) return;
    store.reservations.touch(id, holder!);
    last = now;
    heartbeat.onBeat?.();
  };
  return heartbeat;
}

/** Of an upload whose bytes have all arrived. */
export type Arrived = Pick<Begun, "session" | "request" | "location"> & { readonly row: Held };

/** What is staged, verified and synced. */
export type Facts = Pick<NewFile, "size" | "sha256" | "modified" | "ino" | "verified">;

/**
 * Renames a sealed upload into place.
 *
 * @throws {BargeError} as `put`, for what has changed since
 */
export async function publish(
  arrived: Arrived,
  facts: Facts,
): Promise<Committed> {
  const { session, request, location, row } = arrived;
  const { store } = session;
  const { dir, name } = location.place!;
  const file: NewFile = { dir, name, owner: row.account, ...facts };
  const replaced = await store.commits.publish(row, file, (moment, seen) => {
    if (!moment.holds(row)) {
      throw store.reservations.upload(row.id)?.holder === row.holder
        ? new BargeError("no-directory", "its folder was moved meanwhile")
        : new BargeError("unavailable", "the upload was taken over or removed meanwhile");
    }
    return checkWrite(session, moment.account(session), location, request.overwrite, seen);
  });
  tellCommitted(arrived, facts, replaced);
  const { size, sha256, modified } = facts;
  return { size, sha256, modified, replaced };
}
