/**
 * The file that holds the first admin's password, where no terminal could show it: `admin-password`
 * in the data directory, readable by its owner alone. A change of that password removes it.
 */
import { typed } from "../../error.ts";
import { foreignOwner, giveTo } from "../../disk/owner.ts";

/** The account that the first start makes. */
export const firstAdmin = "admin";

/** The file's name in the data directory. */
export const adminPasswordFile = "admin-password";

/**
 * Writes the password to its file, in the place of an older one.
 *
 * @returns the file's path
 * @throws {BargeError} as the disk does
 */
export function keepAdminPassword(data: string, password: string): string {
  const path = `${data}/${adminPasswordFile}`;
  try {
    removeFile(path);
    // Created exclusively, so that it never follows a symbolic link.
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

/** Removes the file if the account is the one whose password it holds. */
export function dropAdminPassword(data: string, account: string): void {
  if (account !== firstAdmin) return;
  try {
    removeFile(`${data}/${adminPasswordFile}`);
  } catch {
    // The password is changed by now, so that the old one in the file opens nothing.
  }
}

function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
