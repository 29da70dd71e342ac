import { BargeError, typed } from "../error.ts";
import type { FileContent, Reading, SmallFile } from "../storage/content.ts";
import type { Place } from "../storage/place.ts";
import type { Session } from "../login/session.ts";

/**
 * Opens a file. The bytes that are read stay those of this moment, even if the file is replaced meanwhile.
 *
 * @param offset in bytes
 * @param reading whether the caller compares the digest. Default: no
 * @throws {BargeError} `not-found`, `denied`, `exists` (a folder), `usage` (offset beyond the end)
 */
export async function get(
  session: Session,
  path: string,
  offset: number,
  reading?: Reading,
): Promise<FileContent> {
  await session.check();
  return await getChecked(session, path, offset, reading);
}

/** Opens a file for a request whose login was checked in the step before. Parameters and errors: {@link get}. */
export async function getChecked(
  session: Session,
  path: string,
  offset: number,
  reading?: Reading,
): Promise<FileContent> {
  return await session.store.tree.open(placeOfFile(session, path), offset, reading);
}

/**
 * Reads small files, each of which succeeds or fails by itself. The caller passes files without a digest to
 * {@link readAgain} afterwards, since a rename may be under way.
 *
 * @param maxBytes the most bytes of all of them together
 * @returns the files in the order of their paths; undefined for a file that has no room beside those before
 *   it; the error of a file that can't be read, as of {@link get}
 */
export async function readSmall(
  session: Session,
  paths: readonly string[],
  maxBytes: number,
): Promise<(SmallFile | BargeError | undefined)[]> {
  await session.check();
  const places = paths.map((path) => {
    try {
      return placeOfFile(session, path);
    } catch (error) {
      return typed(error);
    }
  });
  const known = places.flatMap((place) => place instanceof BargeError ? [] : [place]);
  const read = (await session.store.tree.readSmall(known, maxBytes)).values();
  return places.map((place) => place instanceof BargeError ? place : read.next().value);
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
