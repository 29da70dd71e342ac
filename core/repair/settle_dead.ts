/**
 * Settles the intents and uploads of a dead worker, as recover.ts does at a start, but while other workers
 * run. Each upload is settled under the write lock, unless another worker has taken it over.
 */
import type { UploadRow } from "../local/ledger/upload_rows.ts";
import { isUnlinked, resumableBytes } from "../local/partial_upload.ts";
import type { Store } from "../local/store.ts";
import { type Recovered, settle, stillStaged, unstage, wasPublished } from "./recover.ts";
import { checkIntents } from "./verify.ts";

/**
 * Settles the changes of a dead worker.
 *
 * @param startId `Store.startId` of the worker, with which the names of its uploads' holders begin
 * @throws {BargeError} the error of the database or the disk
 */
export async function settleDead(store: Store, startId: string): Promise<Recovered> {
  const counts = { changes: 0, settled: 0, resumable: 0, dropped: 0 };
  checkIntents(store, true, () => counts.changes++);
  for (const upload of store.reservations.heldBy(`${startId}/`)) {
    const outcome = await settleUpload(store, upload);
    if (outcome) counts[outcome]++;
  }
  return counts;
}

/** Settles an upload. @returns undefined when another worker has taken it over */
async function settleUpload(
  store: Store,
  upload: UploadRow,
): Promise<"settled" | "resumable" | "dropped" | undefined> {
  const { commits, reservations, vault } = store;
  // The file may be large, so it is read without the lock; only the dead writer could rename it.
  const staged = upload.sha256 !== null ? stillStaged(store, upload) : undefined;
  const ino = vault.find(upload)?.ino;
  const published = upload.sha256 !== null && staged === undefined &&
    await wasPublished(store, upload);
  return await commits.enter(() => {
    const now = reservations.upload(upload.id);
    if (now?.holder !== upload.holder) return undefined;
    if (published && vault.find(upload)?.ino === ino) {
      settle(store, now);
      unstage(store, now.id); // a hard link of an older server may be left in staging
      return "settled";
    }
    const lost = isUnlinked(now) || stillStaged(store, now) === undefined;
    const whole = lost ? 0 : resumableBytes(store, now);
    if (reservations.detach(now.id, now.holder!, whole, now.whole !== null)) return "resumable";
    unstage(store, now.id);
    return "dropped";
  });
}
