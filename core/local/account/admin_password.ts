/**
 * The file with the first admin's password, for a server whose output no terminal shows. Only the owner
 * of the data directory can read it, and a change of the password removes it.
 */
import { typed } from "../../error.ts";
import { foreignOwner, giveTo } from "../../disk/owner.ts";

/** The name of the account that the first start makes. */
export const firstAdmin = "admin";

/** The file's name in the data directory. */
export const adminPasswordFile = "admin-password";

/**
 * Writes the password to its file, which replaces an older one.
 *
 * @returns the file's path
 * @throws {BargeError} the error of the disk
 */
export function keepAdminPassword(data: string, password: string): string {
  const path = `${data}/${adminPasswordFile}`;
  try {
    removeFile(path);
    // Created exclusively, so that no symbolic link is followed.
    using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(`${password}\n`);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    file.syncSync();
    giveTo(foreignOwner(data), path);
    return path;
  } catch (error) {
    throw typed(error, { op: "write", path });
  }
}

/** Removes the file if it holds the password of this account. */
export function dropAdminPassword(data: string, account: string): void {
  if (account !== firstAdmin) return;
  try {
    removeFile(`${data}/${adminPasswordFile}`);
  } catch {
    // The password in the file is an old one by now, so it may stay.
  }
}

function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
