/**
 * Partial uploads: the number of bytes that can be resumed, and the end of an upload that becomes no file.
 * Every end is an unsynced commit, which waits for the write lock without holding up the event loop.
 */
import type { PartsWithCommits } from "./commit.ts";
import type { HeldUpload, UploadRow } from "./ledger/upload_rows.ts";
import type { Parts } from "./parts.ts";
import { discard, stagedSize, stagingDir } from "./vault/staging.ts";

/** Returns the number of staged bytes of an upload that can be resumed. */
export function resumableBytes({ vault }: Parts, { id, whole }: UploadRow): number {
  return Math.min(stagedSize(vault, id) ?? 0, whole ?? Infinity);
}

/**
 * Keeps the staged bytes for a resume, unless they are a file already, or have another holder by now.
 * The next holder cuts off bytes behind a gap. If the database refuses the change, as on a full disk, it is
 * repeated; until then the row has the holder, from which a resume takes the upload over.
 *
 * @param whole the number of bytes that can be resumed
 * @param options.gaps whether there are more, behind a gap
 * @param options.empty keep the upload also where nothing is staged
 */
export async function detachUpload(
  { commits, reservations, vault }: PartsWithCommits,
  { id, holder }: HeldUpload,
  whole: number,
  { gaps = false, empty = false } = {},
): Promise<void> {
  await commits.noteSurely(() => {
    if (commits.owes(id)) return;
    if (!reservations.detach(id, holder!, whole, gaps, empty)) discard(vault, id);
  });
}

/**
 * Deletes the staged bytes and the row, unless they are a file already, or have another holder by now.
 * The bytes are deleted first: on a full disk, the database needs their room. If it still has none, the row is
 * deleted when it has. A crash in between leaves a row without bytes, which the next start drops.
 */
export async function dropUpload(
  { commits, reservations, vault }: PartsWithCommits,
  { id, holder }: HeldUpload,
): Promise<void> {
  await commits.noteSurely(() => {
    if (commits.owes(id)) return;
    const now = reservations.upload(id);
    if (now && now.holder !== holder) return;
    discard(vault, id);
    reservations.drop(id, holder!);
  });
}

/** Deletes the staged bytes of uploads that the ledger has dropped, and stops their writers. */
export function discardDropped({ fences, vault }: Parts, ids: Iterable<number>): void {
  for (const id of ids) {
    fences.end(id);
    discard(vault, id);
  }
}

/** Returns whether an upload has no path any more (`OpenUpload.unlink`): it can't be resumed. */
export function isUnlinked({ dir }: { readonly dir: string }): boolean {
  return dir === stagingDir;
}
