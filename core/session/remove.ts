import { BargeError } from "../error.ts";
import { changeable, type Check, checkChange, needAdd, recheckChange } from "../login/access.ts";
import { fileRecord } from "../login/file_record.ts";
import type { Session } from "../login/session.ts";
import type { Guard, View } from "../storage/view.ts";
import { refuseUnnamed } from "./omitted.ts";

/**
 * Removes a file, or a folder with its entries and the uploads into it.
 *
 * @param recursive also a folder that is not empty
 * @param allowed throws unless the entry may be removed
 * @returns the number of files that were charged to accounts
 * @throws {BargeError} `not-found`, `exists` (a folder that is not empty), `denied`; `refused` for a
 *   folder with data in it that no door shows
 */
export async function remove(
  session: Session,
  path: string,
  recursive: boolean,
  allowed: Check = () => {},
): Promise<number> {
  const { tree, uploads } = session.store;
  const account = await session.account();
  const location = session.locate(path);
  const place = changeable(location);
  const { entry, partial } = await tree.look(place, account.id);
  needAdd(session);
  if (!entry && partial && await uploads.dropAt(account.id, place) > 0) return 0;
  const { door } = session;
  const record = fileRecord(session, "remove", {
    path: location.path,
    type: entry?.type ?? "file",
  });
  const guard = (check: (view: View) => void): Guard => ({ places: [place], door, check, record });
  const checkAllowed = (view: View) => allowed(view.entry(place), view);
  const checkEmpty = (view: View) => {
    if (!recursive && view.entry(place)?.type === "dir" && !view.isEmpty(place)) throw notEmpty();
  };
  await tree.check(guard(checkAllowed));
  await checkChange(session, account, location);
  if (recursive && entry?.type === "dir") await refuseUnnamed(tree, place);
  await tree.check(guard(checkEmpty));
  return await tree.remove(
    place,
    account.id,
    guard((view) => {
      checkAllowed(view);
      recheckChange(view, session, location);
      checkEmpty(view);
    }),
  );
}

function notEmpty(): BargeError {
  return new BargeError("exists", "the folder is not empty", { hint: "remove it with -r" });
}
