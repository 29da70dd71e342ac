import { BargeError } from "../error.ts";
import type { FileContent, SmallFile } from "../storage/content.ts";
import type { Place } from "../storage/place.ts";
import type { Session } from "../login/session.ts";

/**
 * Opens a file. The bytes that are read stay those of this moment, even if the file is replaced meanwhile.
 *
 * @param offset in bytes
 * @throws {BargeError} `not-found`, `denied`, `exists` (a folder), `usage` (offset beyond the end)
 */
export async function get(session: Session, path: string, offset: number): Promise<FileContent> {
  await session.check();
  return await session.store.tree.open(placeOfFile(session, path), offset);
}

/**
 * Reads one of many small files. The caller has called {@link Session.check} once, for all of them. It
 * passes files without a digest to {@link readAgain} afterwards, since a rename may be under way.
 *
 * @returns undefined for a file that has more than `maxBytes` bytes
 * @throws {BargeError} as {@link get}
 */
export async function readSmall(
  session: Session,
  path: string,
  maxBytes: number,
): Promise<SmallFile | undefined> {
  return await session.store.tree.readSmall(placeOfFile(session, path), maxBytes);
}

/**
 * Reads small files that had no digest again, in one step.
 *
 * @param files each with its path
 * @returns the files as they are now; a file that can't be read, or has grown, is returned as it was given
 */
export async function readAgain(
  session: Session,
  files: readonly (readonly [path: string, file: SmallFile])[],
): Promise<SmallFile[]> {
  const places = files.map(([path, file]) => [placeOfFile(session, path), file] as const);
  return await session.store.tree.readAgain(places);
}

function placeOfFile(session: Session, path: string): Place {
  const { place } = session.locate(path);
  if (!place) throw new BargeError("exists", "it is a folder");
  return place;
}
