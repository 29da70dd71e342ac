/** Files that root's commands make in a data directory that belongs to the server's user. */
import { dirname } from "node:path";

/**
 * Gives a file or folder to the owner of the folder it is in, if that is another user: what a
 * command of root's makes, the server must be able to use. Does nothing where it is not allowed.
 *
 * @param path what was just made
 */
export function likeItsFolder(path: string): void {
  try {
    const { uid, gid } = Deno.statSync(dirname(path));
    if (Deno.lstatSync(path).uid === uid) return; // also: no call that a confined server may not make
    Deno.chownSync(path, uid, gid);
  } catch { /* not root: then it is one's own folder, or the server's to refuse */ }
}
