/**
 * On start, with the data directory to ourselves: what a crash left behind is settled.
 *
 *   intents      happened on disk -> the ledger follows; did not -> forgotten
 *   sealed       staged bytes gone, or the file itself: renamed into place -> settled; else resumable
 *   unfinished   nobody holds them any more; kept for a week; reserved is what is staged, no more
 *   staging      whatever belongs to no upload goes
 */
import { keepPartialMs } from "../local/ledger/upload_rows.ts";
import type { Intent } from "../local/ledger/intent.ts";
import type { UploadRow } from "../local/ledger/upload_rows.ts";
import { digestFile } from "../local/vault/digest.ts";
import {
  discard,
  stagedNames,
  stagedPlace,
  stagedSize,
  stagingDir,
  trimStaged,
} from "../local/vault/staging.ts";
import { forgetGone, known } from "../local/entry.ts";
import { discardDropped } from "../local/partial_upload.ts";
import { moveUploads } from "../local/move.ts";
import { trashName } from "../local/vault/staging.ts";
import { isUnlinked } from "../local/partial_upload.ts";
import type { Store } from "../local/store.ts";

/** The numbers of a recovery, for the log. */
export interface Recovered {
  /** Renames and removals that had happened and are in the ledger now. */
  readonly changes: number;
  /** Uploads that had been renamed into place and are charged now. */
  readonly settled: number;
  /** Uploads that can be continued. */
  readonly resumable: number;
  /** Uploads and staged leftovers that were thrown away. */
  readonly dropped: number;
}

/** @throws {BargeError} as the database and the disk do */
export async function recover(store: Store): Promise<Recovered> {
  const { reservations, vault } = store;
  const changes = settleIntents(store);
  let [settled, resumable, dropped] = [0, 0, 0];
  for (const upload of reservations.eachUpload()) {
    const staged = trimmed(store, upload);
    if (upload.sha256 && staged === undefined && await wasPublished(store, upload)) {
      settle(store, upload);
      settled++;
    } else if (staged && !isUnlinked(upload) && Date.now() - upload.touched < keepPartialMs) {
      reservations.release(upload.id, staged);
      resumable++;
    } else {
      reservations.drop(upload.id);
      dropped++;
    }
  }
  for (const name of stagedNames(vault)) {
    if (/^\d+$/.test(name) && reservations.upload(Number(name))) continue;
    discard(vault, name);
    dropped++;
  }
  for (const { id, used, reserved } of store.ledger.wrongSums()) {
    store.ledger.correct(id, used, reserved);
  }
  return { changes, settled, resumable, dropped };
}

/** Cuts off what lies behind a gap. @returns how many bytes are staged then; undefined for none */
function trimmed(store: Store, upload: UploadRow): number | undefined {
  const { vault } = store;
  const { id, whole } = upload;
  const staged = stillStaged(store, upload);
  if (whole === null || staged === undefined || staged <= whole) return staged;
  trimStaged(vault, id, whole);
  return whole;
}

/**
 * Returns the number of staged bytes that are not a file yet; undefined for none. Older servers gave a
 * new file its name by a hard link: sealed bytes with a second name are a file already, wherever it
 * was moved since, and a resume would write into it.
 */
export function stillStaged({ vault }: Store, { id, sha256 }: UploadRow): number | undefined {
  const place = stagedPlace(id);
  return sha256 !== null && vault.hasNames(place) ? undefined : stagedSize(vault, id);
}

function settleIntents(store: Store): number {
  let changes = 0;
  for (const intent of store.intents.intents()) {
    if (store.db.transaction(() => settleIntent(store, intent))) changes++;
  }
  return changes;
}

/**
 * Lets the ledger follow a rename or removal, if it happened on disk, and forgets the intent.
 *
 * @returns whether the ledger had to follow
 */
export function settleIntent(store: Store, intent: Intent): boolean {
  const { folders, ledger, vault } = store;
  const { id, verb, from, to } = intent;
  store.intents.done(id);
  if (!happened(store, intent)) return false;
  store.shares.lose(from);
  if (verb === "remove") {
    forgetGone(store, from);
    if (!store.vault.find(from)) discardDropped(store, store.uploadsAt.dropBelow(from));
    return true;
  }
  // Rows that the ledger has there are newer: others went on after a worker died with its intent.
  const kept = ledger.rowsAt(to).filter((row) => known(store, row)).toArray();
  if (kept.length > 0 && !ledger.knowsAny(from)) return false;
  const keptFolders = folders.below(to).filter((row) => vault.find(row)?.type === "dir");
  moveUploads(store, from, to, () => ledger.rename(from, to));
  for (const row of keptFolders) if (!folders.find(row)) folders.enter(row);
  for (const row of kept) ledger.enter({ ...row, verified: row.verified !== 0 });
  return true;
}

/** Does the disk show what was intended? */
export function happened({ vault }: Store, { id, verb, from, to }: Intent): boolean {
  if (verb === "remove") return !!vault.find({ dir: stagingDir, name: trashName(id) });
  return !vault.find(from) && !!vault.find(to);
}

/**
 * Did the rename happen? The file itself has to tell: what is there may be the one that was to be
 * replaced, of the same size, and the staged bytes lost with the power. Few uploads are at this
 * point at once, and only a crash leaves one.
 */
export async function wasPublished(store: Store, upload: UploadRow): Promise<boolean> {
  const found = store.vault.find(upload);
  if (found?.type !== "file" || found.size !== upload.want) return false;
  return (await digestFile(store.vault, upload)).digest === upload.sha256;
}

/** Charges an upload that is in place. */
export function settle(store: Store, upload: UploadRow): void {
  const { size, modified, ino } = store.vault.find(upload)!;
  store.reservations.settle([[upload.id, {
    dir: upload.dir,
    name: upload.name,
    owner: upload.account,
    size,
    sha256: upload.sha256!,
    modified,
    ino,
    verified: upload.verified !== 0,
  }]]);
}

/**
 * Drops the uploads that nobody has continued for a week, and forgets those that were finished that
 * long ago; for a server that runs that long.
 */
export function expire(store: Store): void {
  const weekAgo = Date.now() - keepPartialMs;
  discardDropped(store, store.reservations.dropOlder(weekAgo));
  store.finishedUploads.forgetBefore(weekAgo);
}
