/**
 * One upload, from its first byte to a file: what `put` begins.
 *
 *   begun -> receiving -> committed            acknowledged, on disk, charged
 *                     \-> detached             cut off: can be continued, by whatever door
 *                     \-> dropped              wrong digest, refused, over quota, no space, cancelled
 *                     \-> lost                 taken over, or removed with its folder
 *
 * Every end closes the staged file and gives up the fence. Each upload has a holder's mark of its own,
 * also those of one session. A newer connection that asks to continue becomes the holder (put.ts), and
 * raises the fence of the former one, whose next step fails: it writes nothing more, and its end
 * touches neither the row nor the bytes. Until it is sealed, an upload can be lost at any time.
 *
 * What can be continued is what is whole from the start. Before an upload writes behind a gap, or
 * over what was copied from the file that it replaces, that much is noted in the ledger, so that
 * nobody continues more than that when its writer, or this server, is gone without a word.
 *
 * Calls may overlap. One that has to wait for more room in the quota holds back those that come after
 * it, so that all are carried out in their order.
 */
import type { UploadRow } from "../local/ledger/reservation.ts";
import { BargeError, typed } from "../error.ts";
import { digestFile } from "../local/vault/digest.ts";
import { reached } from "../local/vault/fault.ts";
import type { Fence } from "../local/vault/fences.ts";
import type { Location } from "../storage/path.ts";
import type { Staged } from "../local/vault/staged.ts";
import { stagedPlace } from "../local/vault/staging.ts";
import type { When } from "../login/access.ts";
import { checkFileTime } from "./file_time.ts";
import { lost } from "./lost.ts";
import { giveUp, letGo } from "../local/partial_upload.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { checkUpload } from "./check.ts";
import { type Committed, type Facts, publish } from "./publish.ts";
import type { PutRequest } from "./put.ts";
import { retarget, unlink } from "./retarget.ts";
import type { Session } from "../login/session.ts";

export type { Committed } from "./publish.ts";

/** How much more is reserved at once for an upload of unknown size, in bytes. */
const growStep = 8 * 1024 * 1024;

/** What an upload is made of. */
export interface Begun {
  readonly session: Session;
  readonly request: PutRequest;
  readonly location: Location;
  readonly row: UploadRow;
  readonly staged: Staged;
  /** Keeps this writer off once another has taken over. */
  readonly fence: Fence;
  readonly heartbeat: Heartbeat;
  /** Was it taken over from a holder of whom it is not certain that all writes had landed? */
  readonly suspect: boolean;
}

export class Upload {
  #begun: Begun;
  #modified: number | null;
  #reserved: number;
  /** Where what is whole from the start will end, when the writes that wait are done. */
  #next: number;
  /** Bytes at its start that come from the file that it is to replace. */
  #copied = 0;
  /** Has it written over those? Then nothing of it can be continued. */
  #inPlace = false;
  /** How many bytes are whole, as the ledger has it; null: all that are staged. */
  #noted: number | null = null;
  /** Writes behind a gap that are waiting or under way. */
  #gaps = 0;
  #ended = false;
  /** The last call that waits for room, and those that wait behind it; undefined: none does. */
  #admission: Promise<void> | undefined;
  /** Was its path taken from it? Then it is dropped at its end. */
  #unlinked = false;

  constructor(begun: Begun) {
    this.#begun = begun;
    this.#modified = begun.request.modified;
    this.#reserved = begun.row.want;
    this.#next = begun.staged.size;
    begun.heartbeat.onBeat = () => {
      if (this.#noted !== null) this.#updateWhole();
    };
  }

  /** Its number, which names its staged bytes. */
  get id(): number {
    return this.#begun.row.id;
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

  /**
   * Did a call fail because a newer connection has taken it over? Then a client that sends it again by
   * itself would take it back, and so on: doors answer so that it does not.
   */
  get takenOver(): boolean {
    return this.#begun.fence.takenOver;
  }

  /** Was it taken over, or removed, while it was open? Then every call of it fails. */
  get lost(): boolean {
    return this.#begun.fence.raised;
  }

  /** Drops the staged bytes: the client has others. */
  async restart(): Promise<void> {
    await this.truncate(0);
  }

  /**
   * Appends a piece. It must stay as it is until this resolves.
   *
   * @throws {BargeError} `over-quota`, `no-space`; `protocol` for more than was declared; when the
   *   upload was lost, `unavailable` (taken over), `no-directory` (its folder is gone), `unauthenticated`
   */
  async write(bytes: Uint8Array): Promise<void> {
    const { staged, heartbeat } = this.#begun;
    try {
      this.#check(staged.size + bytes.length);
      const room = this.#room(staged.size + bytes.length);
      if (room) await room;
      heartbeat();
      await staged.write(bytes);
    } catch (error) {
      throw this.#explain(error);
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
      const end = position + bytes.length;
      this.#check(end);
      this.#inPlace ||= position < this.#copied;
      const gap = position > this.#next;
      if (!gap) this.#next = Math.max(this.#next, end);
      this.#gaps += Number(gap);
      try {
        const notes = this.#inPlace ? this.#noted !== 0 : gap && this.#noted === null;
        const room = this.#room(end, notes ? staged.length : undefined);
        if (room) await room;
        heartbeat();
        await staged.writeAt(position, bytes);
      } finally {
        this.#gaps -= Number(gap);
      }
    } catch (error) {
      throw this.#explain(error);
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
      this.#check(length);
      const notes = this.#noted === null ? length > this.#next : length < this.#noted;
      const room = this.#room(length, notes ? length : undefined);
      this.#next = Math.min(this.#next, length);
      this.#copied = Math.min(this.#copied, length);
      if (room) await room;
      heartbeat();
      await staged.truncate(length);
    } catch (error) {
      throw this.#explain(error);
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

  /** The time that the file is to have, in ms since 1970; null: that of the last write. */
  get modified(): number | null {
    return this.#modified;
  }

  /** Is to become a file elsewhere: what it is written to was renamed. @throws as `retarget` */
  moveTo(path: string, overwrite: When): void {
    this.#begun = retarget(this.#begun, path, overwrite);
    this.#unlinked = false;
  }

  /** Has no path any more: what it is written to was removed. @throws as `unlink` */
  unlink(): void {
    unlink(this.#begun);
    this.#unlinked = true;
  }

  /** Waits until no call is under way: before it is detached or dropped while some may be. */
  async settled(): Promise<void> {
    while (this.#admission) await this.#admission.catch(() => {/* who waits for room is told */});
    await this.#begun.staged.settled();
  }

  /**
   * Ends it after a failed write: what can't become a file for want of room is dropped, so that the
   * room is there again; anything else is kept, to be continued.
   */
  async fail(failure: BargeError): Promise<void> {
    if (failure.kind === "over-quota" || failure.kind === "no-space") await this.drop();
    else await this.detach();
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
    const { session: { store }, request: { size, recorded }, row, staged, heartbeat } = this.#begun;
    if (size !== null && staged.length !== size) {
      throw new BargeError("protocol", `${staged.length} of ${size} bytes arrived`);
    }
    try {
      const digest = await staged.digest(heartbeat);
      if (sha256 !== null && sha256 !== digest) {
        const failure = this.#explain(otherDigest(digest, sha256));
        await this.drop();
        throw failure;
      }
      if (this.#begun.suspect) await this.#readBack(digest);
      const facts: Facts = {
        ...await staged.finish(this.#modified, store.vault.durable),
        size: staged.length,
        sha256: digest,
        verified,
      };
      await checkUpload(this.#begun, facts, gone);
      await store.commits.enter(() => {
        store.reservations.seal(row.id, row.holder!, facts);
        const finished = { ...facts, finished: Date.now() };
        if (recorded) store.finishedUploads.record(row.account, row, finished);
      });
      reached("sealed");
      const committed = await publish(this.#begun, facts);
      await this.#end();
      return committed;
    } catch (error) {
      const failure = error instanceof BargeError ? this.#explain(error) : error;
      if (failure instanceof BargeError && failure.kind === "refused") await this.drop();
      await this.detach();
      throw typed(failure);
    }
  }

  /**
   * Cut off: what is whole is kept, to be continued. Never throws for one that has ended. Nothing
   * may be under way.
   *
   * @param empty keep it also where nothing has arrived: it was announced, and is asked for again
   */
  async detach(empty = false): Promise<void> {
    if (this.#inPlace || this.#unlinked) return await this.drop();
    const { session: { store }, row, staged } = this.#begun;
    const kept = { gaps: staged.size < staged.length, empty };
    await this.#end(() => letGo(store, row, staged.size, kept));
  }

  /** Given up: nothing is kept. */
  async drop(): Promise<void> {
    await this.#end(() => giveUp(this.#begun.session.store, this.#begun.row));
  }

  /** The fence goes last: who takes over meanwhile finds it, and knows that nothing is written any more. */
  async #end(settle: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const { staged, fence } = this.#begun;
    staged[Symbol.dispose]();
    try {
      await settle();
    } finally {
      fence[Symbol.dispose]();
    }
  }

  /** Returns the failure, or its cause where that is the loss of the upload to another holder. */
  #explain(error: unknown): BargeError {
    const { session, location, row, fence } = this.#begun;
    const failure = typed(error);
    const ours = !fence.raised && session.store.reservations.holds(row.id, row.holder!);
    return ours || this.#ended ? failure : lost(session, row, location, fence);
  }

  /** A write of the former holder's that was stuck on its way to the disk may have come after ours. */
  async #readBack(digest: string): Promise<void> {
    const { session: { store }, row } = this.#begun;
    const onDisk = await digestFile(store.vault, stagedPlace(row.id));
    if (onDisk.digest === digest) return;
    await this.drop();
    throw new BargeError("unavailable", "two connections wrote to this upload at once", {
      hint: "send it again",
    });
  }

  #check(total: number): void {
    const { size } = this.#begun.request;
    if (!Number.isSafeInteger(total)) throw new BargeError("usage", "no file is that large");
    if (size === null || total <= size) return;
    throw new BargeError("protocol", `more than the declared ${size} bytes`);
  }

  /**
   * Makes sure that this number of bytes may be staged.
   *
   * @param whole the ledger has to know first how much is whole: no more than this
   * @returns what to wait for; undefined when nothing is in the way
   */
  #room(total: number, whole?: number): Promise<void> | undefined {
    const before = this.#admission;
    if (!before && total <= this.#reserved && whole === undefined) return undefined;
    const admission = this.#admission = this.#admit(before, total, whole);
    // In the same turn as the caller goes on: nobody can come in between.
    const clear = () => {
      if (this.#admission === admission) this.#admission = undefined;
    };
    admission.then(clear, clear);
    return admission;
  }

  async #admit(
    before: Promise<void> | undefined,
    total: number,
    whole: number | undefined,
  ): Promise<void> {
    await before?.catch(() => {/* who waits for that is told */});
    if (total > this.#reserved) await this.#grow(total);
    if (whole === undefined) return;
    // Synced: what lies behind the gap may be on disk after a power cut, and must not be taken for whole.
    await this.#begun.staged.settled();
    await this.#begun.session.store.commits.enter(() => this.#updateWhole(whole));
  }

  async #grow(total: number): Promise<void> {
    const { session: { store: { commits, reservations } }, row: { id, holder } } = this.#begun;
    const ahead = total + growStep;
    try {
      await commits.note(() => reservations.grow(id, holder!, ahead));
      this.#reserved = ahead;
    } catch (error) {
      if (!(error instanceof BargeError && error.kind === "over-quota")) throw error;
      await commits.note(() => reservations.grow(id, holder!, total));
      this.#reserved = total;
    }
  }

  /**
   * Notes how much is whole, in a transaction: before the first gap, and with each beat from then on.
   *
   * @param most what is cut off next is not whole any more
   */
  #updateWhole(most?: number): void {
    const { session: { store }, row, staged } = this.#begun;
    const filled = most === undefined && this.#gaps === 0 && staged.size === staged.length;
    if (filled) this.#next = Math.max(this.#next, staged.size);
    const whole = this.#inPlace ? 0 : filled ? null : Math.min(staged.size, most ?? Infinity);
    store.reservations.keepWhole(row.id, row.holder!, whole);
    this.#noted = whole;
  }
}

/** What has arrived, and is dropped, is not what the client says that it sent; both in hex. */
export function otherDigest(arrived: string, said: string): BargeError {
  return new BargeError("digest", `what arrived has SHA-256 ${arrived}, not ${said}`, {
    hint: "what had arrived was dropped; send it again",
  });
}
