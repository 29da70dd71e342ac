/**
 * Stores small files whose bytes are all in memory: reserves and seals them in one step, then stages and
 * publishes them.
 *
 * Files that wait at the same time share both group commits (commit.ts), and so most statements.
 * If the quota has no room for all of them, each is reserved by itself, and fails with its own reason.
 */
import { typed } from "../error.ts";
import type { Content, StoredFile, WriteGuard } from "../storage/uploads.ts";
import type { PartsWithCommits } from "./commit.ts";
import { type Outcome, outcome } from "./group.ts";
import type { DeclaredUpload, HeldUpload } from "./ledger/upload_rows.ts";
import { lostUpload } from "./open_upload.ts";
import { discardDropped, dropUpload } from "./partial_upload.ts";
import { reached } from "../storage/fault.ts";
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
  /** The id of the partial upload to the path, which was dropped; undefined for none. */
  readonly dropped: number | undefined;
}

/** Returns a function that does what `Uploads.store` promises. */
export function storeWhole(parts: PartsWithCommits) {
  const { commits, db, reservations, vault } = parts;

  /** Drops the account's idle partial upload to the path. @returns its id */
  const dropIdle = (upload: DeclaredUpload): number | undefined => {
    const idle = reservations.idle(upload.account, upload);
    if (idle) reservations.drop(idle.id);
    return idle?.id;
  };

  const enterAll = (files: readonly Waiting[]): Entered[] => {
    const accounts = new Set(files.map(({ upload }) => upload.account));
    const unfinished = reservations.withUnfinished(accounts);
    const dropped = files.map(({ upload }) =>
      unfinished.has(upload.account) ? dropIdle(upload) : undefined
    );
    const rows = reservations.begin(
      files.map(({ upload, content }) => ({ upload, sealed: content })),
    );
    return rows.map((row, i) => ({ row, dropped: dropped[i] }));
  };

  const enterOne = (file: Waiting): Entered => {
    try {
      return enterAll([file])[0];
    } catch (error) {
      file.guard.check(viewOf(parts)); // its refusal comes before `over-quota`
      throw error;
    }
  };

  /** Reserves and seals files. It is one function for all calls, so that a group joins them. */
  const enter = (files: readonly Waiting[]): readonly Outcome<Entered>[] => {
    const all = files.length > 1 ? outcome(() => db.transaction(() => enterAll(files))) : undefined;
    if (all && "value" in all) return all.value.map((value) => ({ value }));
    return files.map((file) => outcome(() => db.transaction(() => enterOne(file))));
  };

  return async (
    upload: DeclaredUpload,
    content: Content,
    bytes: Uint8Array,
    guard: WriteGuard,
  ): Promise<StoredFile> => {
    const { row, dropped } = await commits.enterWith(enter, { upload, content, guard });
    reached("sealed");
    try {
      if (dropped !== undefined) discardDropped(parts, [dropped]);
      const { modified, ino } = await stageWhole(vault, row.id, bytes, upload.modified);
      const { account: owner, dir, name } = row;
      return await commits.publish(row, { dir, name, owner, ...content, modified, ino }, guard);
    } catch (error) {
      const held = reservations.holds(row.id, row.holder!);
      const failure = held ? typed(error) : lostUpload(parts, row);
      await dropUpload(parts, row);
      throw failure;
    }
  };
}
