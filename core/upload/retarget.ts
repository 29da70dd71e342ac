/**
 * Gives another path to an upload under way: its file is renamed or removed while it is written,
 * and its writer continues, as with an open file in POSIX.
 *
 *   begun at A -> (retarget to B) -> committed as B
 *             \-> (unlink)        -> dropped at its end; no door shows it meanwhile
 *
 * The reservation follows in the same transaction. An upload that was to replace a file at A has no
 * claim on that file's room at B: it takes the one on the file at B, or needs room beside it.
 */
import { changeable, checkWrite, type When } from "../login/access.ts";
import { stagingDir } from "../local/vault/staging.ts";
import type { Begun } from "./upload.ts";

/**
 * Gives an upload another path.
 *
 * @param overwrite whether it may replace a file there, now and when it is committed
 * @throws {BargeError} as `checkWrite`; `over-quota`; `unavailable` when the upload was taken over
 */
export function retarget(begun: Begun, path: string, overwrite: When): Begun {
  const { session, request, row } = begun;
  const { db, reservations } = session.store;
  const location = session.locate(path);
  const { dir, name } = changeable(location);
  db.transaction(() => {
    checkWrite(session, session.accountNow(), location, overwrite);
    reservations.retarget(row.id, row.holder!, { dir, name });
  });
  return {
    ...begun,
    location,
    request: { ...request, path, overwrite },
    row: { ...row, dir, name },
  };
}

/**
 * Takes the path from an upload. Its row stays, under a name that no path leads to, so that what it
 * has staged stays reserved.
 *
 * @throws {BargeError} `over-quota`; `unavailable` when the upload was taken over
 */
export function unlink({ session, row }: Begun): void {
  const hidden = { dir: stagingDir, name: `unlinked-${row.id}` };
  session.store.reservations.retarget(row.id, row.holder!, hidden);
}

/** Returns whether the path was taken from an upload, which then can't be resumed. */
export function isUnlinked({ dir }: { readonly dir: string }): boolean {
  return dir === stagingDir;
}
