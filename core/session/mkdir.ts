import { BargeError } from "../error.ts";
import { changeable, needAdd, needChange } from "../login/access.ts";
import { fileRecord } from "../login/file_record.ts";
import type { Session } from "../login/session.ts";
import type { Request } from "../protocol/message.ts";
import { parseTime } from "../protocol/time.ts";
import type { Condition } from "../storage/view.ts";
import { checkFileTime } from "../upload/file_time.ts";

/**
 * Makes a folder, which counts as an entry of the account.
 *
 * @param condition throws unless it may be made now
 * @returns false if the folder existed, and `parents` was set
 * @throws {BargeError} `no-directory`, `exists`; `over-quota` where no entry is left: nothing is made
 *   then; `usage` for a time that no folder can have; `denied` for the time of an existing folder where the
 *   token can only add; `unauthenticated` when the login has ended
 */
export async function mkdir(
  session: Session,
  request: Request<"mkdir">,
  condition: Condition = () => {},
): Promise<boolean> {
  const { id } = await session.account();
  needAdd(session);
  const { path, parents } = request;
  const modified = request.modified === undefined ? null : parseTime(request.modified)!;
  checkFileTime(modified, path);
  const location = session.locate(path);
  if (location.fixed && parents) return false;
  const place = changeable(location);
  const check: Condition = (view) => {
    session.accountIn(view);
    condition(view);
    if (modified !== null && view.entry(place)) needChange(session);
  };
  const record = fileRecord(session, "mkdir", { path: location.path });
  const guard = { places: [place], door: session.door, check, record };
  const made = await session.store.tree.mkdir(place, { account: id, parents, modified }, guard);
  if (!made && !parents) throw new BargeError("exists", "it exists already");
  return made;
}
