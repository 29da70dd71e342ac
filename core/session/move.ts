/**
 * Renames a file or a folder atomically: readers and a crash see the old name or the new name.
 *
 * Partial uploads into a folder move with it, keep their reserved bytes, and can be resumed under the new
 * name. An upload under way ends with `no-directory` at its next byte, and is kept as a partial upload. An
 * upload is dropped if the folder moves to a home that its account can't reach.
 */
import { BargeError } from "../error.ts";
import {
  changeable,
  checkChange,
  checkWrite,
  recheckChange,
  type WriteCondition,
} from "../login/access.ts";
import { fileRecord } from "../login/file_record.ts";
import type { Session } from "../login/session.ts";
import { isWithin } from "../storage/path.ts";
import { relative } from "../storage/place.ts";
import type { Guard, View } from "../storage/view.ts";

/**
 * Renames a file or a folder.
 *
 * @param overEmpty whether a folder may replace an empty one, as in POSIX
 * @throws {BargeError} `not-found`, `no-directory`, `exists`, `denied`; `over-quota` when an upload
 *   under way will replace the file, or the account's properties have no room for a longer path
 */
export async function move(
  session: Session,
  from: string,
  to: string,
  overwrite: WriteCondition,
  overEmpty = false,
): Promise<void> {
  const { tree } = session.store;
  const account = await session.account();
  const source = session.locate(from);
  const target = session.locate(to);
  await checkChange(session, account, source);
  const place = changeable(source);
  const newPlace = changeable(target);
  if (relative(place) === relative(newPlace)) return;
  if (isWithin(target.path, source.path)) {
    throw new BargeError("usage", "a folder can't be moved into itself", { path: from });
  }
  const check = (view: View): void => {
    const account = session.accountIn(view);
    const { type } = recheckChange(view, session, source);
    const leavesPublic = source.space === "public" && target.space === "home";
    // A folder counts as an entry of the account that made it. It stays in /public, where that account can
    // remove it.
    if (leavesPublic && account.role !== "admin" && view.hasForeignFolder(place, account.id)) {
      const why = "a folder that another account made can be moved only within /public";
      throw new BargeError("denied", why);
    }
    if (type === "other") throw new BargeError("denied", "it is neither a file nor a folder");
    if (overEmpty && type === "dir" && view.entry(newPlace)?.type === "dir") {
      if (view.isEmpty(newPlace)) return;
      throw new BargeError("exists", "the folder there is not empty", { path: to });
    }
    const replaces = checkWrite(view, session, target, overwrite);
    if (replaces && type === "dir") {
      throw new BargeError("exists", "a file has that name", { path: to });
    }
  };
  const record = fileRecord(session, "move", { path: source.path, to: target.path });
  const guard: Guard = { places: [place, newPlace], door: session.door, check, record };
  await tree.check(guard);
  await tree.move(place, newPlace, session.id, guard);
}
