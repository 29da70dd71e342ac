/**
 * Making a folder: an entry of the account that makes it.
 *
 * Its row comes first, in the transaction that the folder is made in: one that is over the quota is
 * never seen. The transaction does not wait for a sync of the disk: a power cut may leave a folder
 * that is nobody's entry, though never one with an acknowledged file in it, whose commit syncs both.
 */
import type { Request } from "../protocol/message.ts";
import type { Place } from "../storage/place.ts";
import { changeable } from "../login/access.ts";
import { BargeError } from "../error.ts";
import { parseTime } from "../protocol/time.ts";
import { checkFileTime } from "../upload/file_time.ts";
import type { Session } from "../login/session.ts";

/**
 * @param still throws unless it may be made now; runs under the write lock
 * @returns whether it was made; false: it was there, and `parents` was set
 * @throws {BargeError} `no-directory`, `exists`; `over-quota` where no entry is left: nothing is made
 *   then; `usage` for a time that no folder can have
 */
export async function mkdir(
  session: Session,
  request: Request<"mkdir">,
  still?: () => void,
): Promise<boolean> {
  const { id } = session.accountNow();
  const { path, parents } = request;
  const modified = request.modified === undefined ? null : parseTime(request.modified)!;
  checkFileTime(modified, path);
  const location = session.locate(path);
  if (location.fixed && parents) return false;
  const place = changeable(location);
  const { commits, folders, vault } = session.store;
  const begun: Place[] = [];
  const undo = (error: unknown): never => {
    for (const each of begun.splice(0).reverse()) vault.removeEmpty(each);
    throw error;
  };
  const make = () => {
    try {
      still?.();
      return vault.mkdir(place, parents, (each) => {
        folders.make(each, id);
        begun.push(each);
      });
    } catch (error) {
      return undo(error);
    }
  };
  // A failure of `make` is undone by then; a failed commit is not.
  const made = await commits.note(make).catch(undo);
  for (const { dir } of begun) vault.sync(dir);
  if (!made && !parents) throw new BargeError("exists", "it exists already");
  if (modified !== null) vault.touch(place, modified);
  return made;
}
