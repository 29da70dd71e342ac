/**
 * Whom files belong to that root makes in another user's folder: an operator runs a command as root
 * beside a server that runs as a user of its own, and the server has to be able to go on with them.
 */
import { lchownSync } from "node:fs";
import { typed } from "../error.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The owner of a folder, where that is another user and this process may give files away.
 *
 * @returns undefined for anybody but root, in one's own folder, and where the system has no owners
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
 * Gives away what was just made; a link itself, not what it leads to.
 *
 * @throws {BargeError} as the system does
 */
export function giveTo(owner: Owner | undefined, path: string): void {
  if (!owner) return;
  try {
    lchownSync(path, owner.uid, owner.gid);
  } catch (error) {
    throw typed(error, { op: "change the owner of", path });
  }
}

/** A server's workers may not ask. They make what they make as who they are. */
function isRoot(): boolean {
  try {
    return Deno.uid() === 0;
  } catch {
    return false;
  }
}
