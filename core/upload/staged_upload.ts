/**
 * An upload whose bytes are staged in storage: see receive.ts.
 *
 * Calls may overlap. A call that waits for more room in the quota holds back the later calls, so that all
 * are carried out in their order.
 */
import { type BargeError, typed } from "../error.ts";
import { changeable, type WriteCondition, writeGuard } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import { LostUpload, type OpenUpload, type StoredFile } from "../storage/uploads.ts";
import { checkUpload } from "./check.ts";
import { checkFileTime } from "./file_time.ts";
import { checkComplete, checkDigest, checkTotal, type Incoming, isFull } from "./incoming.ts";
import type { UploadTarget } from "./request.ts";
import { WholeRecord } from "./whole_record.ts";

export class StagedUpload implements Incoming {
  /** Whether a failed commit drops the upload: it is small, and the client can send it again. */
  dropOnFailure = false;
  #target: UploadTarget;
  readonly #open: OpenUpload;
  readonly #whole: WholeRecord;
  modified: number | null;
  ended = false;
  #unlinked = false;
  /** The last call that waits for room, or for another such call; undefined if none does. */
  #admission: Promise<void> | undefined;

  constructor(target: UploadTarget, open: OpenUpload) {
    this.#target = target;
    this.#open = open;
    this.#whole = new WholeRecord(open.body.size);
    this.modified = target.request.modified;
  }

  get offset(): number {
    return this.#open.body.size;
  }

  get length(): number {
    return this.#open.body.length;
  }

  get prefix(): string | null {
    const { body } = this.#open;
    return body.size === 0 ? null : body.prefix();
  }

  get takenOver(): boolean {
    return this.#open.takenOver;
  }

  get lost(): boolean {
    return this.#open.lost;
  }

  /** Notes that all bytes so far are copied from the file that the upload will replace. */
  noteCopied(): void {
    this.#whole.noteCopied(this.offset);
  }

  renewLease(): void {
    const { body } = this.#open;
    const whole = this.#whole.wholeNow(body);
    const noted = this.#open.renewLease(whole);
    if (noted && whole !== undefined) this.#whole.noteRecorded(whole, body);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { body } = this.#open;
    const end = body.size + bytes.length;
    const begin = () => void this.#whole.beginAppend(end);
    await this.#change(end, begin, () => body.write(bytes));
  }

  async writeAt(position: number, bytes: Uint8Array): Promise<void> {
    const { body } = this.#open;
    const end = position + bytes.length;
    let gap = false;
    try {
      const begin = () => {
        const write = this.#whole.beginWrite(position, end);
        gap = write.gap;
        return write.record ? body.length : undefined;
      };
      await this.#change(end, begin, () => body.writeAt(position, bytes));
    } finally {
      this.#whole.endWrite(gap);
    }
  }

  async truncate(length: number): Promise<void> {
    const begin = () => this.#whole.truncate(length) ? length : undefined;
    await this.#change(length, begin, () => this.#open.body.truncate(length));
  }

  async readAt(position: number, into: Uint8Array): Promise<number> {
    return await this.#open.body.readAt(position, into);
  }

  setModified(time: number): void {
    checkFileTime(time, this.#target.request.path);
    this.modified = time;
  }

  stage(): Promise<number> {
    return Promise.resolve(this.#open.id);
  }

  async moveTo(path: string, overwrite: WriteCondition): Promise<void> {
    const { session, request } = this.#target;
    const location = session.locate(path);
    const place = changeable(location);
    await this.#open.move(place, writeGuard(session, location, overwrite));
    this.#target = { session, location, place, request: { ...request, path, overwrite } };
    this.#unlinked = false;
  }

  async unlink(): Promise<void> {
    await this.#open.unlink();
    this.#unlinked = true;
  }

  async settled(): Promise<void> {
    while (this.#admission) await this.#admission.catch(() => {/* its caller gets the error */});
    await this.#open.body.settled();
  }

  async commit(sha256: string | null, verified: boolean, gone?: AbortSignal): Promise<StoredFile> {
    const { body } = this.#open;
    const { session, location, request } = this.#target;
    checkComplete(body.length, request.size);
    try {
      const digest = await body.digest(() => this.renewLease());
      try {
        checkDigest(digest, sha256);
      } catch (error) {
        const failure = await this.#explain(error);
        await this.drop();
        throw failure;
      }
      const modified = await body.finish(this.modified, digest);
      const content = { size: body.length, sha256: digest, modified, verified };
      const guard = writeGuard(session, location, request.overwrite, request);
      await checkUpload(this.#target, this.#open, content, guard, gone);
      const file = await this.#open.commit(content, guard);
      await this.#end(() => this.#open.detach());
      return file;
    } catch (error) {
      const failure = await this.#explain(error);
      if (failure.kind === "refused" || this.dropOnFailure) await this.drop();
      else await this.detach();
      throw failure;
    }
  }

  async fail(failure: BargeError): Promise<void> {
    if (isFull(failure)) await this.drop();
    else await this.detach();
  }

  async detach(empty = false): Promise<void> {
    if (this.#whole.inPlace || this.#unlinked) await this.drop();
    else await this.#end(() => this.#open.detach(empty));
  }

  async drop(): Promise<void> {
    await this.#end(() => this.#open.drop());
  }

  /**
   * Changes the staged bytes once there is room.
   *
   * @param end the end of the last byte afterwards
   * @param begin notes the change in the {@link WholeRecord}; returns the most whole bytes that storage must
   *   record before the change; undefined if no record is needed
   */
  async #change(
    end: number,
    begin: () => number | void,
    change: () => Promise<void>,
  ): Promise<void> {
    try {
      checkTotal(end, this.#target.request.size);
      const room = this.#room(end, begin() ?? undefined);
      if (room) await room;
      this.renewLease();
      await change();
    } catch (error) {
      throw await this.#explain(error);
    }
  }

  async #end(settle: () => Promise<void>): Promise<void> {
    if (this.ended) return;
    await this.settled();
    if (this.ended) return;
    this.ended = true;
    await settle();
  }

  /** Returns the error to throw for a failure: that of the lost upload, if it was lost. */
  async #explain(error: unknown): Promise<BargeError> {
    const { session, request } = this.#target;
    const lost = this.ended ? undefined : await this.#open.whyLost();
    return await explained(session, request.path, lost ?? error);
  }

  /**
   * Makes room for a number of staged bytes.
   *
   * @param limit the most whole bytes to record first; undefined if they need no record
   * @returns a promise to wait for; undefined if there is room
   */
  #room(total: number, limit?: number): Promise<void> | undefined {
    const before = this.#admission;
    if (!before && total <= this.#open.reserved && limit === undefined) return undefined;
    const admission = this.#admission = this.#admit(before, total, limit);
    // Runs before the caller continues, so that no other call can begin in between.
    const clear = () => {
      if (this.#admission === admission) this.#admission = undefined;
    };
    admission.then(clear, clear);
    return admission;
  }

  async #admit(
    before: Promise<void> | undefined,
    total: number,
    limit: number | undefined,
  ): Promise<void> {
    await before?.catch(() => {/* its caller gets the error */});
    const { body } = this.#open;
    if (total > this.#open.reserved) await this.#open.reserve(total);
    if (limit === undefined) return;
    await body.settled();
    // Durable: bytes behind the gap may be on disk after a power cut, and must not count as whole.
    const whole = this.#whole.wholeBefore(body, limit);
    await this.#open.recordWhole(whole);
    this.#whole.noteRecorded(whole, body);
  }
}

/**
 * Returns an upload's error for its client. If the upload was lost because the login has ended, that is the
 * error of the ended login.
 */
export async function explained(
  session: Session,
  path: string,
  error: unknown,
): Promise<BargeError> {
  if (!(error instanceof LostUpload)) return typed(error);
  try {
    await session.check();
  } catch (reason) {
    return typed(reason);
  }
  return error.with({ path });
}
