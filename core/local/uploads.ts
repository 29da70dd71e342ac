/**
 * Uploads on one machine: rows in the database, bytes in the staging folder.
 *
 * An upload that resumes takes the account's newest one to the path, also from a connection that still
 * writes it: a connection that is dead looks like one that is slow, and the newer one knows better.
 * These are the steps, in this order:
 *
 *   1. the row gets the new holder, in one transaction: the former one can't reserve, seal, detach or
 *      drop any more
 *   2. the former one's fence is raised, and a write of its that is under way is waited for
 *   3. the new holder takes a fence of its own, and checks that it still is the holder: a connection
 *      that took the upload over in between either found this fence, or is found by this check
 *   4. only now the staged bytes are measured, and opened
 *
 * Where step 2 can't be sure that the last write has landed (its worker is dead, its disk is stuck),
 * the staged bytes are read back before they become a file. An upload that begins afresh gets no
 * staged bytes: it drops an idle one to its path, and races with one that is being written.
 */
import { randomUUID } from "node:crypto";
import { BargeError } from "../error.ts";
import type { Place } from "../storage/place.ts";
import type {
  Content,
  NewUpload,
  OpenUpload,
  PartialUpload,
  Source,
  StoredFile,
  Uploads,
  UploadStart,
  WriteGuard,
} from "../storage/uploads.ts";
import { openDownload } from "./download.ts";
import { sameFile } from "./entry.ts";
import {
  type DeclaredUpload,
  type HeldUpload,
  keepPartialMs,
  staleAfter,
  type UploadRow,
} from "./ledger/upload_rows.ts";
import { Heartbeat } from "./heartbeat.ts";
import { look } from "./look.ts";
import { LocalUpload, lostUpload, type PartsWithCommits } from "./open_upload.ts";
import { continuable, detachUpload, discardDropped } from "./partial_upload.ts";
import { StoredWhole } from "./stored_whole.ts";
import { digestFile } from "./vault/digest.ts";
import type { Fence } from "./vault/fences.ts";
import { Staged } from "./vault/staged.ts";
import { stagedPlace } from "./vault/staging.ts";

/** The row of an upload that began. */
interface Row {
  readonly row: HeldUpload;
  /** Bytes that it may stage. */
  readonly reserved: number;
  /** The row as it was, of an upload that is resumed. */
  readonly former?: UploadRow;
  /** The upload whose place it took. */
  readonly dropped?: number;
}

export class LocalUploads implements Uploads {
  readonly #parts: PartsWithCommits;
  readonly #whole: StoredWhole;

  constructor(parts: PartsWithCommits) {
    this.#parts = parts;
    this.#whole = new StoredWhole(parts);
  }

  async begin(upload: NewUpload, start: UploadStart): Promise<OpenUpload> {
    const parts = this.#parts;
    const { commits, fences, reservations, vault } = parts;
    const declared = this.#declare(upload);
    const { row, former, reserved, dropped } = await commits.enter(() =>
      this.#enter(declared, start)
    );
    const { id } = row;
    let fence: Fence | undefined;
    let body: Staged | undefined;
    try {
      if (dropped !== undefined) discardDropped(parts, [dropped]);
      const suspect = former?.holder ? !await fences.raise(id) : false;
      fence = fences.take(id);
      if (!reservations.holds(id, declared.holder)) throw lostUpload(parts, row, fence);
      const keep = former ? Math.min(start.keep, continuable(parts, former)) : 0;
      const heartbeat = new Heartbeat(parts, row);
      const onRead = start.unread ? null : () => void heartbeat.beat();
      body = await Staged.open(vault, id, keep, fence, suspect, onRead);
      if (former && former.whole !== null) {
        await commits.note(() => reservations.keepWhole(id, declared.holder, null));
      }
      if (upload.size !== null && body.size > upload.size) await body.truncate(0);
      const recorded = start.recorded ?? false;
      return new LocalUpload(parts, { row, body, fence, heartbeat, reserved, recorded });
    } catch (error) {
      body?.[Symbol.dispose]();
      try {
        await detachUpload(parts, row, former ? continuable(parts, former) : 0);
      } finally {
        fence?.[Symbol.dispose]();
      }
      throw error;
    }
  }

  /** Writes the row, in a transaction. */
  #enter(declared: DeclaredUpload, { keep, remains, recorded }: UploadStart): Row {
    const { finishedUploads, reservations } = this.#parts;
    const { account } = declared;
    const former = keep > 0 ? reservations.resumable(account, declared) : undefined;
    const resumed = former && reservations.resume(former.id, declared);
    if (resumed) return { row: resumed, reserved: resumed.want, former };
    if (remains && reservations.unfinished(account, declared)) {
      throw new BargeError("unavailable", "another upload to that path is under way");
    }
    const idle = keep === 0 ? reservations.idle(account, declared) : undefined;
    if (idle) reservations.drop(idle.id);
    if (recorded) finishedUploads.forget(account, declared);
    const [row] = reservations.begin([{ upload: declared }]);
    const reserved = declared.size ?? declared.reserve ?? 0;
    return { row, reserved, dropped: idle?.id };
  }

  async store(
    upload: NewUpload,
    content: Content,
    bytes: Uint8Array,
    guard: WriteGuard,
  ): Promise<StoredFile> {
    return await this.#whole.store(this.#declare(upload), content, bytes, guard);
  }

  /** Each file on disk has bytes of its own. */
  copy(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async source(place: Place): Promise<Source> {
    return await openDownload(this.#parts, place, 0);
  }

  resumable(account: number, place: Place): Promise<PartialUpload | undefined> {
    const row = this.#parts.reservations.resumable(account, place);
    return Promise.resolve(row && this.#partial(row));
  }

  partial(account: number, place: Place): Promise<PartialUpload | undefined> {
    const row = this.#parts.reservations.unfinished(account, place);
    return Promise.resolve(row && this.#partial(row));
  }

  async *partials(account: number): AsyncGenerator<PartialUpload, void, void> {
    for (const row of this.#parts.reservations.unfinishedOf(account)) yield this.#partial(row);
  }

  async sample(upload: number, bytes: number, signal?: AbortSignal): Promise<string | undefined> {
    try {
      const place = stagedPlace(upload);
      return (await digestFile(this.#parts.vault, place, "sha256", bytes, signal)).digest;
    } catch (error) {
      if (error instanceof BargeError && error.kind === "not-found") return undefined;
      throw error;
    }
  }

  finished(account: number, place: Place): Promise<{ size: number; expires: number } | undefined> {
    const upload = this.#parts.finishedUploads.find(account, place);
    const expires = (upload?.finished ?? 0) + keepPartialMs;
    if (!upload || expires < Date.now()) return Promise.resolve(undefined);
    const { found, row } = look(this.#parts, place);
    const intact = found && row && sameFile(row, found) && row.owner === account &&
      row.sha256 === upload.sha256;
    return Promise.resolve(intact ? { size: found.size, expires } : undefined);
  }

  async dropAt(account: number, place: Place): Promise<number> {
    const { commits, uploadsAt } = this.#parts;
    const ids = await commits.enter(() => uploadsAt.drop(account, place));
    discardDropped(this.#parts, ids);
    return ids.length;
  }

  #declare(upload: NewUpload): DeclaredUpload {
    return { ...upload, holder: `${this.#parts.life}/${randomUUID()}` };
  }

  #partial(row: UploadRow): PartialUpload {
    const { id, dir, name, size, modified, touched } = row;
    return {
      id,
      dir,
      name,
      offset: continuable(this.#parts, row),
      size,
      modified,
      busy: row.holder !== null && touched > Date.now() - staleAfter,
      expires: touched + keepPartialMs,
    };
  }
}
