/**
 * Partial uploads: how much of one can be continued, who still holds one, and how one ends that does
 * not become a file. Every end is a light commit, which waits for the write lock without holding up
 * the event loop.
 */
import type { Held, UploadRow } from "../account/reservation.ts";
import { BargeError } from "../error.ts";
import { type Fence, takenOver } from "../vault/fences.ts";
import type { Location } from "../vault/path.ts";
import { folderOf } from "../vault/place.ts";
import { discard, stagedSize } from "../vault/staging.ts";
import type { Session } from "./session.ts";
import type { Store } from "./store.ts";

/** How many staged bytes of an upload can be continued; 0: none. */
export function continuable({ vault }: Store, { id, whole }: UploadRow): number {
  return Math.min(stagedSize(vault, id) ?? 0, whole ?? Infinity);
}

/**
 * Keeps the staged bytes for a resume, unless they are a file already, or another holder's by now.
 * The next holder cuts off bytes behind a gap.
 *
 * @param whole how many bytes can be continued
 * @param gaps is there more, behind a gap?
 * @param empty keep it also where nothing is staged
 */
export async function letGo(
  { commits, reservations, vault }: Store,
  row: UploadRow,
  whole: number,
  { gaps = false, empty = false } = {},
): Promise<void> {
  const { id, holder } = row;
  await commits.note(() => {
    if (commits.owes(id)) return;
    if (!reservations.detach(id, holder!, whole, gaps, empty)) discard(vault, id);
  });
}

/**
 * Deletes the staged bytes and the row, unless they are a file already, or another holder's by now.
 * The bytes go first: on a full disk, the ledger needs their room. A crash in between leaves a row
 * without bytes, which the next start drops.
 */
export async function giveUp({ commits, reservations, vault }: Store, row: Held): Promise<void> {
  await commits.note(() => {
    if (commits.owes(row.id)) return;
    const now = reservations.upload(row.id);
    if (now && now.holder !== row.holder) return;
    discard(vault, row.id);
    reservations.drop(row.id, row.holder!);
  });
}

/** Deletes the staged bytes of uploads that the ledger has dropped, and stops their writers. */
export function discardDropped({ fences, vault }: Store, ids: Iterable<number>): void {
  for (const id of ids) {
    fences.end(id);
    discard(vault, id);
  }
}

/**
 * Returns the reason why an upload is no longer its holder's, or no longer to this path.
 *
 * @param fence the holder's, where it has one
 * @returns `unauthenticated` without the account, `no-directory` when its folder was removed or moved,
 *   else `unavailable`
 */
export function lost(
  session: Session,
  row: Held,
  location: Location,
  fence?: Fence,
): BargeError {
  const { store } = session;
  const { path } = location;
  try {
    session.check();
  } catch (error) {
    if (error instanceof BargeError) return error;
    throw error;
  }
  const now = store.reservations.upload(row.id);
  if (now ? now.holder !== row.holder : fence?.takenOver) {
    return new BargeError("unavailable", "the upload was taken over by a newer connection", {
      path,
      hint: "if the other one was not meant to go on with it, send it again when that has ended",
    });
  }
  if (now && now.dir !== row.dir) {
    return new BargeError("no-directory", "its folder was moved meanwhile", {
      path,
      hint: "what had arrived is kept under the folder's new name, and can be continued there",
    });
  }
  if (!now && store.vault.find(folderOf(row))?.type !== "dir") {
    return new BargeError("no-directory", "its folder was removed or moved meanwhile", { path });
  }
  if (now) return takenOver().with({ path });
  return new BargeError("unavailable", "the upload was removed meanwhile", {
    path,
    hint: "send it again",
  });
}
