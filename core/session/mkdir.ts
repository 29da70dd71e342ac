/** Making a folder. */
import type { Request } from "../protocol/message.ts";
import { changeable } from "./access.ts";
import { BargeError } from "../error.ts";
import type { Session } from "./session.ts";

/**
 * @param still throws unless it may be made now; runs under the write lock
 * @returns whether it was made; false: it was there, and `parents` was set
 * @throws {BargeError} `no-directory`, `exists`
 */
export function mkdir(
  session: Session,
  request: Request<"mkdir">,
  still?: () => void,
): boolean {
  session.account();
  const location = session.locate(request.path);
  if (location.fixed && request.parents) return false;
  const place = changeable(location);
  const { vault, db } = session.store;
  const make = () => vault.mkdir(place, request.parents);
  const made = still ? db.transaction(() => (still(), make())) : make();
  if (!made && !request.parents) throw new BargeError("exists", "it exists already");
  if (request.modified) vault.touch(place, Date.parse(request.modified));
  return made;
}
