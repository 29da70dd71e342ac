/**
 * Small files whose bytes are all in memory: reserved and sealed in one step, staged, published.
 *
 * Files that wait at the same time share both group commits (commit.ts), and so most statements.
 * Where they do not all fit, each is reserved by itself, and fails with its own reason.
 */
import { typed } from "../error.ts";
import type { Content, StoredFile, WriteGuard } from "../storage/uploads.ts";
import type { PartsWithCommits } from "./commit.ts";
import { type Outcome, outcome } from "./group.ts";
import type { DeclaredUpload, HeldUpload } from "./ledger/upload_rows.ts";
import { lostUpload } from "./open_upload.ts";
import { discardDropped, dropUpload } from "./partial_upload.ts";
import { reached } from "./vault/fault.ts";
import { stageWhole } from "./vault/staging.ts";
import { viewOf } from "./view.ts";

/** A file that waits to be reserved. */
interface Waiting {
  readonly upload: DeclaredUpload;
  readonly content: Content;
  readonly guard: WriteGuard;
}

/** A file that is reserved and sealed. */
interface Entered {
  readonly row: HeldUpload;
  /** The partial upload whose place it took. */
  readonly dropped: number | undefined;
}

export class StoredWhole {
  readonly #parts: PartsWithCommits;

  constructor(parts: PartsWithCommits) {
    this.#parts = parts;
  }

  /** Does what `Uploads.store` promises. */
  async store(
    upload: DeclaredUpload,
    content: Content,
    bytes: Uint8Array,
    guard: WriteGuard,
  ): Promise<StoredFile> {
    const { commits, reservations, vault } = this.#parts;
    const { row, dropped } = await commits.enterWith(this.#enter, { upload, content, guard });
    reached("sealed");
    try {
      if (dropped !== undefined) discardDropped(this.#parts, [dropped]);
      const { modified, ino } = await stageWhole(vault, row.id, bytes, upload.modified);
      const { account: owner, dir, name } = row;
      const file = { dir, name, owner, ...content, modified, ino };
      const replaced = await commits.publish(row, file, guard);
      const { size, sha256 } = content;
      return { size, sha256, modified, replaced: replaced !== undefined };
    } catch (error) {
      const held = reservations.holds(row.id, row.holder!);
      const failure = held ? typed(error) : lostUpload(this.#parts, row);
      await dropUpload(this.#parts, row);
      throw failure;
    }
  }

  readonly #enter = (files: readonly Waiting[]): readonly Outcome<Entered>[] => {
    const { db } = this.#parts;
    const all = files.length > 1
      ? outcome(() => db.transaction(() => this.#enterAll(files)))
      : undefined;
    if (all && "value" in all) return all.value.map((value) => ({ value }));
    return files.map((file) => outcome(() => db.transaction(() => this.#enterOne(file))));
  };

  #enterAll(files: readonly Waiting[]): Entered[] {
    const { reservations } = this.#parts;
    const unfinished = reservations.withUnfinished(
      new Set(files.map(({ upload }) => upload.account)),
    );
    const dropped = files.map(({ upload }) =>
      unfinished.has(upload.account) ? this.#dropIdle(upload) : undefined
    );
    const rows = reservations.begin(
      files.map(({ upload, content }) => ({ upload, sealed: content })),
    );
    return rows.map((row, i) => ({ row, dropped: dropped[i] }));
  }

  #enterOne(file: Waiting): Entered {
    try {
      return this.#enterAll([file])[0];
    } catch (error) {
      file.guard.check(viewOf(this.#parts)); // its refusal comes before `over-quota`
      throw error;
    }
  }

  /** Drops the account's idle partial upload to the path. @returns its id */
  #dropIdle(upload: DeclaredUpload): number | undefined {
    const { reservations } = this.#parts;
    const idle = reservations.idle(upload.account, upload);
    if (idle) reservations.drop(idle.id);
    return idle?.id;
  }
}
