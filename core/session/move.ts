/**
 * Renaming a file or a folder: one step for every reader, and for a crash.
 *
 * Partial uploads into a folder follow it, with what they have reserved, and can be resumed under its new
 * name. Those under way end with `no-directory` at the next byte, and are kept there as partial uploads.
 * One whose account can't reach the new place, another's home, is dropped.
 */
import { BargeError } from "../error.ts";
import { changeable, checkTake, checkTakeStill, checkWrite, type When } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import { isWithin } from "../storage/path.ts";
import { relative } from "../storage/place.ts";
import type { Guard, View } from "../storage/view.ts";

/**
 * @param overEmpty whether a folder may replace an empty one, as in POSIX
 * @throws {BargeError} `not-found`, `no-directory`, `exists`, `denied`; `over-quota` when an upload
 *   under way will replace the file, or the account's properties have no room for a longer path
 */
export async function move(
  session: Session,
  from: string,
  to: string,
  overwrite: When,
  overEmpty = false,
): Promise<void> {
  const { tree } = session.store;
  const account = await session.account();
  const source = session.locate(from);
  const target = session.locate(to);
  await checkTake(session, account, source);
  const place = changeable(source);
  const newPlace = changeable(target);
  if (relative(place) === relative(newPlace)) return;
  if (isWithin(target.path, source.path)) {
    throw new BargeError("usage", "a folder can't be moved into itself", { path: from });
  }
  const check = (view: View): void => {
    const account = session.accountIn(view);
    const { type } = checkTakeStill(view, account, source);
    const leavesPublic = source.space === "public" && target.space === "home";
    // Others' folders count as their entries: they stay where those can reach them.
    if (leavesPublic && account.role !== "admin" && view.hasForeignFolder(place, account.id)) {
      const why = "a folder that another account made is moved within /public only";
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
  const guard: Guard = { places: [place, newPlace], check };
  await tree.check(guard);
  await tree.move(place, newPlace, session.id, guard);
}
