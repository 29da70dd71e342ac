/** An upload that is gathered in memory while it stays small: see receive.ts. */
import { Buffer } from "node:buffer";
import { type BargeError, typed } from "../error.ts";
import type { WriteCondition } from "../login/access.ts";
import type { StoredFile } from "../storage/uploads.ts";
import { beginStaged } from "./begin.ts";
import { checkFileTime } from "./file_time.ts";
import { checkComplete, checkTotal, type Incoming, isFull } from "./incoming.ts";
import type { UploadTarget } from "./request.ts";
import type { StagedUpload } from "./staged_upload.ts";
import { storeWhole } from "./store_whole.ts";

/** Bodies up to this many bytes are gathered in memory. */
export const smallBodyBytes = 64 * 1024;
/** The most bytes that all uploads of this isolate gather; any more are staged at once. */
const maxGatheredBytes = 64 * 1024 * 1024;
/** Bytes that all uploads of this isolate have gathered now. */
let gatheredBytes = 0;

export class Gathering implements Incoming {
  readonly prefix = null;
  #target: UploadTarget;
  #pieces: Uint8Array[] = [];
  #size = 0;
  /** The staged upload. Once it exists, it gets all calls, in their order. */
  #staged: Promise<StagedUpload> | undefined;
  #upload: StagedUpload | undefined;
  #ended = false;

  constructor(target: UploadTarget) {
    this.#target = target;
  }

  get offset(): number {
    return this.#upload?.offset ?? this.#size;
  }

  get length(): number {
    return this.#upload?.length ?? this.#size;
  }

  get modified(): number | null {
    return this.#upload ? this.#upload.modified : this.#target.request.modified;
  }

  get ended(): boolean {
    return this.#upload?.ended ?? this.#ended;
  }

  get takenOver(): boolean {
    return this.#upload?.takenOver ?? false;
  }

  get lost(): boolean {
    return this.#upload?.lost ?? false;
  }

  renewLease(): void {
    this.#upload?.renewLease();
  }

  async write(bytes: Uint8Array, final = false): Promise<void> {
    if (!this.#gather(bytes, final)) await (await this.#stage()).write(bytes);
  }

  async writeAt(position: number, bytes: Uint8Array): Promise<void> {
    if (position === this.#size && this.#gather(bytes)) return;
    await (await this.#stage()).writeAt(position, bytes);
  }

  async readAt(position: number, into: Uint8Array): Promise<number> {
    return await (await this.#stage()).readAt(position, into);
  }

  async truncate(length: number): Promise<void> {
    if (!this.#staged && length === this.#size) return;
    await (await this.#stage()).truncate(length);
  }

  setModified(time: number): void {
    const { request } = this.#target;
    if (this.#upload) return this.#upload.setModified(time);
    checkFileTime(time, request.path);
    this.#target = { ...this.#target, request: { ...request, modified: time } };
  }

  async stage(): Promise<number> {
    return await (await this.#stage()).stage();
  }

  async moveTo(path: string, overwrite: WriteCondition): Promise<void> {
    await (await this.#stage()).moveTo(path, overwrite);
  }

  async unlink(): Promise<void> {
    await (await this.#stage()).unlink();
  }

  async settled(): Promise<void> {
    await (await this.#staged)?.settled();
  }

  async commit(sha256: string | null, verified: boolean, gone?: AbortSignal): Promise<StoredFile> {
    const { session, request } = this.#target;
    if (!this.#staged) {
      checkComplete(this.#size, request.size);
      // The operator's check reads staged bytes.
      const checked = session.store.hooks.check && !request.copied;
      if (checked) (await this.#stage()).dropOnFailure = true;
    }
    if (this.#staged) return await (await this.#staged).commit(sha256, verified, gone);
    this.#ended = true;
    try {
      return await storeWhole(this.#target, this.#all(), sha256, verified);
    } finally {
      this.#release();
    }
  }

  async fail(failure: BargeError): Promise<void> {
    if (isFull(failure)) await this.drop();
    else await this.detach();
  }

  /** Stages the gathered bytes and keeps them, if they have room and the path has no other upload. */
  async detach(empty = false): Promise<void> {
    const remains = !this.#staged && !this.#ended && this.#size > 0;
    let unkept: BargeError | undefined;
    try {
      await (remains ? this.#stage(true) : this.#staged);
    } catch (error) {
      const failure = typed(error);
      if (remains && !isFull(failure) && failure.kind !== "unavailable") unkept = failure;
    }
    this.#ended = true;
    this.#release();
    await this.#upload?.detach(empty);
    if (unkept) throw unkept;
  }

  async drop(): Promise<void> {
    this.#ended = true;
    this.#release();
    await this.#staged?.catch(() => {/* its callers get the error */});
    await this.#upload?.drop();
  }

  /** Keeps a piece, or a copy of it. @returns false where it must be staged */
  #gather(bytes: Uint8Array, final = false): boolean {
    const size = this.#size + bytes.length;
    if (this.#staged || size > smallBodyBytes) return false;
    if (gatheredBytes + bytes.length > maxGatheredBytes) return false;
    checkTotal(size, this.#target.request.size);
    this.#pieces.push(final ? bytes : bytes.slice());
    this.#size = size;
    gatheredBytes += bytes.length;
    return true;
  }

  /** Stages the upload with the gathered bytes. @param remains whether no more bytes will come */
  #stage(remains = false): Promise<StagedUpload> {
    return this.#staged ??= this.#begin(remains);
  }

  async #begin(remains: boolean): Promise<StagedUpload> {
    const bytes = this.#all();
    const upload = await beginStaged(this.#target, undefined, remains);
    this.#upload = upload;
    if (bytes.length > 0) await upload.write(bytes);
    this.#release();
    return upload;
  }

  #release(): void {
    for (const { length } of this.#pieces) gatheredBytes -= length;
    this.#pieces = [];
  }

  #all(): Uint8Array {
    return this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
  }
}
