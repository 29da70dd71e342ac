/**
 * Owners of new files. An operator may run a command as root beside a server that runs as another
 * user; files that the command makes in that user's folder are given to the user, so that the
 * server can use them.
 */
import { lchownSync } from "node:fs";
import { typed } from "../error.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Returns the owner of a folder where root runs this process and the folder is another user's.
 *
 * @returns undefined for any other user, in root's own folder, and on systems without owners
 */
export function foreignOwner(folder: string): Owner | undefined {
  if (!isRoot()) return undefined;
  try {
    const { uid, gid } = Deno.statSync(folder);
    return uid === null || gid === null || uid === 0 ? undefined : { uid, gid };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw typed(error, { op: "open", path: folder });
  }
}

/**
 * Gives a new file to its owner; a symbolic link itself, not its target.
 *
 * @throws {BargeError} the system's error
 */
export function giveTo(owner: Owner | undefined, path: string): void {
  if (!owner) return;
  try {
    lchownSync(path, owner.uid, owner.gid);
  } catch (error) {
    throw typed(error, { op: "change the owner of", path });
  }
}

/** Returns false in a server's workers, which may not read the user's number. */
function isRoot(): boolean {
  try {
    return Deno.uid() === 0;
  } catch {
    return false;
  }
}
