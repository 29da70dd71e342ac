/**
 * Settles what a dead worker left behind while the server goes on, as a start does, but beside other
 * workers.
 *
 *   intents      happened on disk -> the ledger follows
 *   sealed       the file itself, under its name -> charged; still staged -> a partial upload
 *   unsealed     a partial upload: can be continued, and reserves what is staged, no more
 *   unlinked     dropped: no path leads to it (partial_upload.ts)
 *
 * The dead worker's uploads are known by their holders' marks, which begin with its name. Each is
 * judged under the write lock, and only while the mark is still the same: whoever took one over
 * meanwhile keeps it.
 */
import type { UploadRow } from "../local/ledger/upload_rows.ts";
import { discard, stagedPlace } from "../local/vault/staging.ts";
import { continuable } from "../local/partial_upload.ts";
import { settle, stillStaged, wasPublished } from "./recover.ts";
import { isUnlinked } from "../local/partial_upload.ts";
import type { Store } from "../local/store.ts";
import { checkIntents } from "./verify.ts";

/** Counts of the settled steps, for the log. */
export interface SettledDead {
  /** Renames and removals that had happened and are in the ledger now. */
  readonly changes: number;
  /** Uploads that had been renamed into place and are charged now. */
  readonly settled: number;
  /** Uploads that can be continued. */
  readonly resumable: number;
  /** Uploads of which nothing was staged, or that nobody can continue. */
  readonly dropped: number;
}

/**
 * @param life the name of the dead worker's life, as its `Store` has it
 * @throws {BargeError} as the database and the disk do
 */
export async function settleDead(store: Store, life: string): Promise<SettledDead> {
  const counts = { changes: 0, settled: 0, resumable: 0, dropped: 0 };
  checkIntents(store, true, () => counts.changes++);
  for (const upload of store.reservations.heldBy(`${life}/`)) {
    const outcome = await settleUpload(store, upload);
    if (outcome) counts[outcome]++;
  }
  return counts;
}

/** @returns undefined for one that somebody has taken over meanwhile */
async function settleUpload(
  store: Store,
  upload: UploadRow,
): Promise<"settled" | "resumable" | "dropped" | undefined> {
  const { commits, reservations, vault } = store;
  // Read outside of the lock: the file may be large. Only its writer, who is dead, would have renamed it.
  const staged = upload.sha256 !== null ? stillStaged(store, upload) : undefined;
  const ino = vault.find(upload)?.ino;
  const published = upload.sha256 !== null && staged === undefined &&
    await wasPublished(store, upload);
  return await commits.enter(() => {
    const now = reservations.upload(upload.id);
    if (now?.holder !== upload.holder) return undefined;
    if (published && vault.find(upload)?.ino === ino) {
      settle(store, now);
      if (vault.find(stagedPlace(now.id))) discard(vault, now.id); // where it had both names
      return "settled";
    }
    const lost = isUnlinked(now) || stillStaged(store, now) === undefined;
    const whole = lost ? 0 : continuable(store, now);
    if (!reservations.detach(now.id, now.holder!, whole, now.whole !== null)) {
      if (vault.find(stagedPlace(now.id))) discard(vault, now.id);
      return "dropped";
    }
    return "resumable";
  });
}
