/** What is at a path: a file, a folder, a half-finished upload. */
import { BargeError } from "../error.ts";
import type { Answer } from "../protocol/message.ts";
import { entryOf, folderEntry } from "../local/entry.ts";
import { continuable } from "../local/partial_upload.ts";
import type { Session } from "../login/session.ts";
import { look } from "../local/look.ts";

/** @throws {BargeError} `not-found`, and as `locate` */
export function stat(session: Session, path: string): Answer<"stat"> {
  session.checkNow();
  const { place } = session.locate(path);
  if (!place) return { entry: folderEntry("/"), upload: null };
  const { store } = session;
  const { found, row } = look(store, place);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const half = session.confined ? undefined : store.reservations.unfinished(session.id, place);
  const upload = half && { offset: continuable(store, half), size: half.size };
  if (!found && !upload) throw new BargeError("not-found", "there is no such file or folder");
  if (found?.type === "other") throw new BargeError("denied", "it is neither a file nor a folder");
  return { entry: found ? entryOf(name, found, row) : null, upload: upload ?? null };
}
