/**
 * Settles what a crash left behind, when a server starts and has the data directory to itself.
 *
 *   intents      a rename or removal that happened on disk is entered in the ledger; all are then deleted
 *   sealed       renamed into place (no staged bytes, or they are the file): settled; else resumable
 *   unsealed     lose their holder, and reserve only the staged bytes; dropped after a week
 *   staging      bytes of no upload are deleted
 */
import type { Intent } from "../local/ledger/intent.ts";
import { keepPartialMs, type UploadRow } from "../local/ledger/upload_rows.ts";
import { digestFile } from "../local/vault/digest.ts";
import {
  discard,
  stagedNames,
  stagedPlace,
  stagedSize,
  stagingDir,
  trashName,
  trimStaged,
} from "../local/vault/staging.ts";
import { commitEvent, moveEvent, removeEvent } from "../storage/event_facts.ts";
import { forgetGone, known } from "../local/entry.ts";
import { discardDropped, isUnlinked } from "../local/partial_upload.ts";
import { moveUploads } from "../local/move.ts";
import type { Store } from "../local/store.ts";
import { type AuditDetails, operator } from "../storage/audit/audit.ts";
import type { FileEvent } from "../storage/audit/entries.ts";
import { relative } from "../storage/place.ts";

/** The numbers of a recovery, for the log. */
export interface Recovered {
  /** Renames and removals that the ledger now has. */
  changes: number;
  /** Uploads that were renamed into place, and are now charged. */
  settled: number;
  /** Uploads whose writer the crash ended, and that can be resumed. */
  resumable: number;
  /** Deleted uploads and staged bytes of no upload. */
  dropped: number;
}

/** Settles all that a crash left behind. @throws {BargeError} the error of the database or the disk */
export async function recover(store: Store): Promise<Recovered> {
  const { reservations, vault } = store;
  const counts = { changes: 0, settled: 0, resumable: 0, dropped: 0 };
  for (const intent of store.intents.intents()) {
    if (store.db.transaction(() => settleIntent(store, intent))) counts.changes++;
  }
  for (const upload of reservations.eachUpload()) {
    const staged = trimmed(store, upload);
    const cutOff = upload.holder !== null || upload.sha256 !== null;
    if (upload.sha256 && staged === undefined && await wasPublished(store, upload)) {
      settle(store, upload);
      counts.settled++;
    } else if (staged && !isUnlinked(upload) && Date.now() - upload.touched < keepPartialMs) {
      reservations.release(upload.id, staged);
      if (cutOff) counts.resumable++;
    } else {
      reservations.drop(upload.id);
      counts.dropped++;
    }
  }
  for (const name of stagedNames(vault)) {
    if (/^\d+$/.test(name) && reservations.upload(Number(name))) continue;
    discard(vault, name);
    counts.dropped++;
  }
  for (const { id, used, reserved } of store.ledger.wrongSums()) {
    store.ledger.correct(id, used, reserved);
  }
  return counts;
}

/** Cuts off the bytes behind a gap. @returns the number of bytes before it; undefined without staged bytes */
function trimmed(store: Store, upload: UploadRow): number | undefined {
  const { vault } = store;
  const { id, whole } = upload;
  const staged = stillStaged(store, upload);
  if (whole === null || staged === undefined || staged <= whole) return staged;
  trimStaged(vault, id, whole);
  return whole;
}

/**
 * Returns the number of staged bytes; undefined for none. Older servers published a file by a hard link,
 * so sealed bytes with another name are a file, into which a resume must not write.
 */
export function stillStaged({ vault }: Store, { id, sha256 }: UploadRow): number | undefined {
  const place = stagedPlace(id);
  return sha256 !== null && vault.hasHardLinks(place) ? undefined : stagedSize(vault, id);
}

/** Deletes an intent, and enters its rename or removal in the ledger. @returns whether it happened on disk */
export function settleIntent(store: Store, intent: Intent): boolean {
  const { folders, ledger, vault } = store;
  const { id, verb, from, to } = intent;
  store.intents.done(id);
  if (!happened(store, intent)) return false;
  store.shares.lose(from);
  // The account and the door are not recorded; a home belongs to its account.
  const origin = { account: /^homes\/([^/]+)/.exec(from.dir)?.[1] ?? null, door: null };
  const moved = verb === "move" && { to: relative(to) };
  const record = () => recordSettled(store, verb, null, { place: relative(from), ...moved });
  if (verb === "remove") {
    record();
    forgetGone(store, from);
    store.outbox.add(() => {
      const type = vault.find({ dir: stagingDir, name: trashName(id) })?.type ?? "other";
      return [removeEvent({ place: from, type, ...origin })];
    });
    if (!store.vault.find(from)) discardDropped(store, store.uploadsAt.dropBelow(from));
    return true;
  }
  // Rows at the new place are newer: other workers wrote them after the worker of the intent had died.
  const kept = ledger.rowsAt(to).filter((row) => known(store, row)).toArray();
  if (kept.length > 0 && !ledger.knowsAny(from)) return false;
  record();
  store.outbox.add(() => {
    const type = vault.find(to)?.type ?? "other";
    return [moveEvent({ from, to, type, ...origin })];
  });
  const keptFolders = folders.below(to).filter((row) => vault.find(row)?.type === "dir");
  moveUploads(store, from, to, () => ledger.rename(from, to));
  for (const row of keptFolders) if (!folders.find(row)) folders.enter(row);
  for (const row of kept) ledger.enter({ ...row, verified: row.verified !== 0 });
  return true;
}

/** Reports whether an intended rename or removal happened on disk. */
export function happened({ vault }: Store, { id, verb, from, to }: Intent): boolean {
  if (verb === "remove") return !!vault.find({ dir: stagingDir, name: trashName(id) });
  return !vault.find(from) && !!vault.find(to);
}

/**
 * Reports whether an upload was renamed into place, by the digest of the file. Size alone does not show
 * it: the file may be the former one, and the staged bytes lost in a power failure.
 */
export async function wasPublished(store: Store, upload: UploadRow): Promise<boolean> {
  const found = store.vault.find(upload);
  if (found?.type !== "file" || found.size !== upload.want) return false;
  return (await digestFile(store.vault, upload)).digest === upload.sha256;
}

/** Charges an upload that was renamed into place. */
export function settle(store: Store, upload: UploadRow): void {
  const { size, modified, ino } = store.vault.find(upload)!;
  const { dir, name, account: owner } = upload;
  const [sha256, verified] = [upload.sha256!, upload.verified !== 0];
  const file = { dir, name, owner, size, sha256, modified, ino, verified };
  const { accounts, db, ledger, outbox, reservations } = store;
  db.transaction(() => {
    const replaced = ledger.file(file) !== undefined;
    reservations.settle([[upload.id, file]]);
    const account = accounts.byId(owner)?.name ?? null;
    recordSettled(store, "commit", owner, { place: relative(upload), size });
    outbox.add(() => [commitEvent({ ...file, account, door: null, replaced })]);
  });
}

/** Records a change that its own worker did not. Its address is not known any more. */
function recordSettled(
  { accounts, audit, settings }: Store,
  event: FileEvent,
  owner: number | null,
  details: AuditDetails,
): void {
  if (!settings.auditFiles) return;
  const account = owner === null ? null : accounts.byId(owner)?.name ?? null;
  audit.add({ event, account, by: operator, details: { ...details, recovered: true } });
}

/** Deletes the staged bytes of an upload, if there are any. */
export function unstage({ vault }: Store, upload: number): void {
  if (vault.find(stagedPlace(upload))) discard(vault, upload);
}

/** Drops uploads that got no byte for a week, and deletes the records of uploads finished a week ago. */
export function expire(store: Store): void {
  const weekAgo = Date.now() - keepPartialMs;
  discardDropped(store, store.reservations.dropOlder(weekAgo));
  store.finishedUploads.forgetBefore(weekAgo);
}
