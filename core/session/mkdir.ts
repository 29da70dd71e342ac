/** Making a folder. */
import type { Request } from "../protocol/message.ts";
import { changeable } from "./access.ts";
import { BargeError } from "../error.ts";
import { parseTime } from "../protocol/time.ts";
import { checkFileTime } from "./file_time.ts";
import type { Session } from "./session.ts";

/**
 * @param still throws unless it may be made now; runs under the write lock
 * @returns whether it was made; false: it was there, and `parents` was set
 * @throws {BargeError} `no-directory`, `exists`; `usage` for a time that no folder can have
 */
export function mkdir(
  session: Session,
  request: Request<"mkdir">,
  still?: () => void,
): boolean {
  session.account();
  const { path } = request;
  const modified = request.modified === undefined ? null : parseTime(request.modified)!;
  checkFileTime(modified, path);
  const location = session.locate(path);
  if (location.fixed && request.parents) return false;
  const place = changeable(location);
  const { vault, db } = session.store;
  const make = () => vault.mkdir(place, request.parents);
  const made = still ? db.transaction(() => (still(), make())) : make();
  if (!made && !request.parents) throw new BargeError("exists", "it exists already");
  if (modified !== null) vault.touch(place, modified);
  return made;
}
