/**
 * An upload in the hands of its holder: its row, its staged bytes and its fence.
 *
 * The row names the holder; the fence stops a former holder's writes (vault/fences.ts). Every end closes
 * the staged file, settles the row, and releases the fence last: a connection that takes the upload
 * over meanwhile finds the fence, and knows by it that nothing is written any more.
 */
import { BargeError } from "../error.ts";
import { folderOf, type Place } from "../storage/place.ts";
import {
  type Content,
  LostUpload,
  type OpenUpload,
  type StoredFile,
  type WriteGuard,
} from "../storage/uploads.ts";
import type { PartsWithCommits } from "./commit.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { HeldUpload } from "./ledger/upload_rows.ts";
import { detachUpload, dropUpload } from "./partial_upload.ts";
import type { Parts } from "./parts.ts";
import { reached } from "./vault/fault.ts";
import type { Fence } from "./vault/fences.ts";
import type { Staged } from "./vault/staged.ts";
import { stagingDir } from "./vault/staging.ts";
import { viewOf } from "./view.ts";

/** The bytes that are reserved ahead at once for an upload of unknown size. */
const reserveAheadBytes = 8 * 1024 * 1024;

export interface Opened {
  readonly row: HeldUpload;
  readonly body: Staged;
  readonly fence: Fence;
  readonly heartbeat: Heartbeat;
  readonly reserved: number;
  readonly recorded: boolean;
}

export class LocalUpload implements OpenUpload {
  readonly body: Staged;
  readonly #parts: PartsWithCommits;
  readonly #fence: Fence;
  readonly #heartbeat: Heartbeat;
  readonly #recorded: boolean;
  #row: HeldUpload;
  #reserved: number;
  #committed = false;
  #ended = false;

  constructor(parts: PartsWithCommits, opened: Opened) {
    this.#parts = parts;
    this.#row = opened.row;
    this.body = opened.body;
    this.#fence = opened.fence;
    this.#heartbeat = opened.heartbeat;
    this.#reserved = opened.reserved;
    this.#recorded = opened.recorded;
  }

  get id(): number {
    return this.#row.id;
  }

  get reserved(): number {
    return this.#reserved;
  }

  get takenOver(): boolean {
    return this.#fence.takenOver;
  }

  get lost(): boolean {
    return this.#fence.raised;
  }

  whyLost(): Promise<LostUpload | undefined> {
    const { id } = this.#row;
    const held = this.#ended ||
      !this.#fence.raised && this.#parts.reservations.holds(id, this.#holder);
    return Promise.resolve(held ? undefined : lostUpload(this.#parts, this.#row, this.#fence));
  }

  async reserve(total: number): Promise<void> {
    const { commits, reservations } = this.#parts;
    const grow = async (bytes: number) => {
      await commits.note(() => reservations.grow(this.id, this.#holder, bytes));
      this.#reserved = bytes;
    };
    try {
      await grow(total + reserveAheadBytes);
    } catch (error) {
      if (!(error instanceof BargeError && error.kind === "over-quota")) throw error;
      await grow(total);
    }
  }

  beat(whole?: number | null): boolean {
    return this.#heartbeat.beat(whole);
  }

  beatNow(whole?: number | null): boolean {
    return this.#heartbeat.now(whole);
  }

  async recordWhole(whole: number | null): Promise<void> {
    const { commits, reservations } = this.#parts;
    await commits.enter(() => reservations.keepWhole(this.id, this.#holder, whole));
  }

  async move(place: Place, guard: WriteGuard): Promise<void> {
    await this.#retarget(place, () => guard.check(viewOf(this.#parts)));
  }

  async unlink(): Promise<void> {
    await this.#retarget({ dir: stagingDir, name: `unlinked-${this.id}` }, () => {});
  }

  async #retarget({ dir, name }: Place, check: () => unknown): Promise<void> {
    const { commits, reservations } = this.#parts;
    await commits.enter(() => {
      check();
      reservations.retarget(this.id, this.#holder, { dir, name });
    });
    this.#row = { ...this.#row, dir, name };
  }

  async commit(
    content: Content & { readonly modified: number },
    guard: WriteGuard,
  ): Promise<StoredFile> {
    const { commits, finishedUploads, reservations } = this.#parts;
    const { account, dir, name } = this.#row;
    await commits.enter(() => {
      reservations.seal(this.id, this.#holder, content);
      const finished = { ...content, finished: Date.now() };
      if (this.#recorded) finishedUploads.record(account, this.#row, finished);
    });
    reached("sealed");
    const { size, sha256, modified, verified } = content;
    const { ino } = this.body;
    const file = { dir, name, owner: account, size, sha256, modified, ino, verified };
    const replaced = await commits.publish(this.#row, file, guard);
    this.#committed = true;
    return { size, sha256, modified, replaced: replaced !== undefined };
  }

  async detach(empty = false): Promise<void> {
    if (this.body.spoiled) return await this.drop();
    const { size, length } = this.body;
    const options = { gaps: size < length, empty };
    await this.#end(() => detachUpload(this.#parts, this.#row, size, options));
  }

  async drop(): Promise<void> {
    await this.#end(() => dropUpload(this.#parts, this.#row));
  }

  async #end(settle: () => Promise<void>): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.body[Symbol.dispose]();
    try {
      if (!this.#committed) await settle();
    } finally {
      this.#fence[Symbol.dispose]();
    }
  }

  get #holder(): string {
    return this.#row.holder!;
  }
}

/** Returns the reason why an upload is not its holder's any more. @param fence the holder's, if any */
export function lostUpload(parts: Parts, row: HeldUpload, fence?: Fence): LostUpload {
  const now = parts.reservations.upload(row.id);
  if (now ? now.holder !== row.holder : fence?.takenOver) return new LostUpload("taken-over");
  if (now && now.dir !== row.dir) return new LostUpload("moved");
  if (!now && parts.vault.find(folderOf(row))?.type !== "dir") return new LostUpload("no-folder");
  return new LostUpload(now ? "ended" : "removed");
}
