/** Reading a file, from any offset, with the digest of the whole at its end. */
import { BargeError } from "../error.ts";
import { Download, openDownload, openNow } from "../local/download.ts";
import type { Undigested } from "../storage/entry.ts";
import { stagedPlace } from "../local/vault/staging.ts";
import type { Session } from "../login/session.ts";

/**
 * Opens a file. What is read is the file as of now, also if it is replaced meanwhile.
 *
 * @param offset where to begin, in bytes
 * @throws {BargeError} `not-found`, `denied`, `exists` (a folder), `usage` (offset beyond the end)
 */
export async function get(session: Session, path: string, offset: number): Promise<Download> {
  session.checkNow();
  return await openDownload(session.store, session.locate(path).place, offset);
}

/**
 * Opens the staged bytes of an upload as they are now. They stay readable when the upload has
 * become a file or was dropped.
 *
 * @param modified its time, in ms since 1970
 * @throws {BargeError} as {@link get}
 */
export function readStaged({ store }: Session, upload: number, modified: number): Download {
  const { file, found } = store.vault.open(stagedPlace(upload));
  return new Download(file, { size: found.size, modified }, 0, null, "added");
}

/** A small file, with its facts as {@link Download} has them. */
export interface Small {
  readonly bytes: Uint8Array;
  readonly modified: number;
  /** Of these bytes; the stored one, if there is one. */
  readonly sha256: string;
  readonly undigested: Undigested | null;
}

/**
 * Reads a file at once. It is for many in a row: the caller has asked {@link Session.check} before.
 * Of one that is `undigested` it is sure only under the write lock: a rename may be under way.
 *
 * @param room undefined is returned for one that has more bytes
 * @throws {BargeError} as {@link get}
 */
export function readSmall(session: Session, path: string, room: number): Small | undefined {
  const download = openNow(session.store, session.locate(path).place, 0);
  try {
    if (download.size > room) return undefined;
    const bytes = download.rest();
    const { modified, undigested } = download;
    return { bytes, modified, sha256: download.digest(), undigested };
  } finally {
    download.close();
  }
}

/**
 * Looks again at small files without a digest, all under one lock.
 *
 * @param files each with its path
 * @returns them as they are now; one that can't be read any more, or has more bytes, as it was
 */
export function lookAgain(
  session: Session,
  files: readonly (readonly [path: string, small: Small])[],
): Small[] {
  const again = ([path, small]: readonly [string, Small]) => {
    try {
      return readSmall(session, path, small.bytes.length) ?? small;
    } catch (error) {
      if (error instanceof BargeError) return small;
      throw error;
    }
  };
  return files.length > 0 ? session.store.db.transaction(() => files.map(again)) : [];
}
