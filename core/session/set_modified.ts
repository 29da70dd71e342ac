import { BargeError, typed } from "../error.ts";
import { changeable, needChange, recheckChange } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import type { View } from "../storage/view.ts";
import { checkFileTime } from "../upload/file_time.ts";

/**
 * Sets the time of a file that the account may replace, or of a folder. A file keeps its digest.
 *
 * @param modified milliseconds since 1970
 * @returns the time as storage keeps it
 * @throws {BargeError} `not-found`, `denied`; `exists` for `/`, `/home` and `/public`; `usage` for a
 *   time that no file can have; `changed` for a file that was changed by hand; `unauthenticated` when the
 *   login has ended
 */
export async function setModified(
  session: Session,
  path: string,
  modified: number,
): Promise<number> {
  checkFileTime(modified, path);
  needChange(session);
  const { tree } = session.store;
  const location = session.locate(path);
  const place = changeable(location);
  const check = (view: View): void => {
    session.accountIn(view);
    const current = view.entry(place);
    // Folders belong to no account: an account that may add to a folder may set the folder's time.
    if (current?.type === "dir") return;
    const { type, undigested } = recheckChange(view, session, location, current);
    if (type === "other") throw new BargeError("denied", "it is neither a file nor a folder");
    // The ledger's digest is that of the bytes before the change by hand. The ledger uses a digest as long as
    // the file has the recorded time. If both got the new time, the changed bytes would have a wrong digest.
    if (undigested === "changed") {
      throw new BargeError("changed", "the file was changed by hand", {
        hint: "`barge verify --repair` enters it in the ledger",
      });
    }
  };
  try {
    return await tree.setModified(place, modified, { places: [place], check });
  } catch (error) {
    throw typed(error, { path });
  }
}
