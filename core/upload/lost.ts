/** Why an upload was lost to its holder. */
import type { Held } from "../local/ledger/reservation.ts";
import { BargeError } from "../error.ts";
import { type Fence, takenOver } from "../local/vault/fences.ts";
import type { Location } from "../storage/path.ts";
import { folderOf } from "../storage/place.ts";
import type { Session } from "../login/session.ts";

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
    session.checkNow();
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
