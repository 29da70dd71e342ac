import { BargeError } from "../error.ts";
import type { Answer } from "../protocol/message.ts";
import type { Session } from "../login/session.ts";
import { entryOf, folderEntry } from "./entry.ts";

/** Returns the facts of a file, folder or partial upload. @throws {BargeError} `not-found`; as `locate` */
export async function stat(session: Session, path: string): Promise<Answer<"stat">> {
  await session.check();
  if (session.wayIn(path) !== undefined) {
    return { entry: folderEntry(path.slice(path.lastIndexOf("/") + 1) || "/"), upload: null };
  }
  const { place } = session.locate(path);
  if (!place) return { entry: folderEntry("/"), upload: null };
  const { tree } = session.store;
  const { entry, partial } = session.confined
    ? { entry: await tree.entry(place), partial: undefined }
    : await tree.look(place, session.id);
  if (!entry && !partial) throw new BargeError("not-found", "there is no such file or folder");
  if (entry?.type === "other") throw new BargeError("denied", "it is neither a file nor a folder");
  const name = path.slice(path.lastIndexOf("/") + 1);
  return { entry: entry ? entryOf(name, entry) : null, upload: partial ?? null };
}

/**
 * Returns when a file or folder was created, in ms since 1970. A file counts as created when its upload
 * began. Undefined if the file system does not record the time, or nothing exists at the path.
 */
export async function created(session: Session, path: string): Promise<number | undefined> {
  if (session.wayIn(path) !== undefined) return undefined;
  const { place } = session.locate(path);
  return place && await session.store.tree.created(place);
}
