/**
 * Detects a data directory whose database is lost: it holds users' files, and `accounts.db` is
 * missing or empty. A new database would not know the files, and would give the folders to the next
 * accounts of the same names. A directory that a crash left while it was made has no files, and is
 * not lost.
 */
import { BargeError } from "../../error.ts";
import { firstFile } from "../vault/first_file.ts";

/**
 * Refuses a data directory whose database is lost.
 *
 * @param data the data directory
 * @param database the path of its database, which may not exist
 * @throws {BargeError} `fatal`
 */
export function refuseLost(data: string, database: string): void {
  if (sizeOf(database) > 0) return;
  const left = sizeOf(`${database}-wal`) > 0
    ? `${database}-wal`
    : firstFile(`${data}/homes`) ?? firstFile(`${data}/public`);
  if (left === undefined) return;
  throw new BargeError("fatal", `its database is lost: there is ${left}, and no accounts.db`, {
    op: "open",
    path: data,
    hint: "put a backup of accounts.db there, and run `barge verify --repair`. Without a backup, " +
      "`barge serve --adopt` makes a new database: the files stay where they are and belong " +
      "to no account, until `barge user add NAME --adopt` gives homes/NAME to one",
  });
}

/** @returns 0 for a missing file */
function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}
