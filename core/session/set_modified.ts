/**
 * Setting the modification time of what is there: on disk and in the ledger in one step, so that the
 * file keeps its digest. A crash between the two leaves a file whose time the ledger does not know:
 * it is served as it is, without a digest, until `barge verify --repair` has read it again.
 */
import { BargeError, typed } from "../error.ts";
import { changeable, checkTake, checkTakeStill } from "../login/access.ts";
import { sameFile } from "../local/entry.ts";
import { checkFileTime } from "../upload/file_time.ts";
import type { Session } from "../login/session.ts";
import { look } from "../local/look.ts";

/**
 * Sets the time of a file that one may replace, or of a folder.
 *
 * @param modified milliseconds since 1970
 * @returns the time as the disk keeps it
 * @throws {BargeError} `not-found`, `denied`; `exists` for `/`, `/home` and `/public`; `usage` for a
 *   time that no file can have; `changed` for a file that was changed by hand, which the ledger
 *   would be made to take for its own
 */
export async function setModified(
  session: Session,
  path: string,
  modified: number,
): Promise<number> {
  checkFileTime(modified, path);
  const { store } = session;
  const { vault, ledger } = store;
  const location = session.locate(path);
  const place = changeable(location);
  const { found } = look(store, place);
  // Folders are nobody's: whoever may add to one may set its time.
  if (found?.type !== "dir") await checkTake(session, session.accountNow(), location);
  let kept = modified;
  try {
    await store.commits.change({
      places: [],
      check() {
        const now = vault.find(place);
        if (now?.type === "dir") return;
        checkTakeStill(session, session.accountNow(), location);
        if (now?.type === "other") {
          throw new BargeError("denied", "it is neither a file nor a folder");
        }
        const row = ledger.file(place);
        if (!row || sameFile(row, now!)) return;
        throw new BargeError("changed", "the file was changed by hand", {
          hint: "`barge verify --repair` takes it in",
        });
      },
      disk() {
        vault.touch(place, modified);
        kept = vault.find(place)!.modified;
      },
      ledger() {
        // If it was owed for a while (the disk was full), another file may be there by now.
        if (vault.find(place)?.modified === kept) ledger.setModified(place, kept);
      },
    });
  } catch (error) {
    throw typed(error, { path });
  }
  return kept;
}
