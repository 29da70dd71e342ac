/** Detects a lost database: a new one would let new accounts take the homes of the old accounts. */
import { BargeError } from "../../error.ts";
import { firstFile } from "../vault/first_file.ts";

/**
 * Refuses a data directory that has users' files, and a missing or empty database.
 *
 * @param data the data directory
 * @param database the path of its database
 * @throws {BargeError} `fatal`
 */
export function refuseLost(data: string, database: string): void {
  if (sizeOf(database) > 0) return;
  const left = sizeOf(`${database}-wal`) > 0
    ? `${database}-wal`
    : firstFile(`${data}/homes`) ?? firstFile(`${data}/public`);
  if (left === undefined) return;
  // Another process may have made the database, and its log, since the first look.
  if (sizeOf(database) > 0) return;
  throw new BargeError("fatal", `its database is lost: there is ${left}, and no accounts.db`, {
    op: "open",
    path: data,
    hint: "put a backup of accounts.db there, and run `barge verify --repair`. Without a backup, " +
      "`barge serve --adopt` makes a new database: the files stay where they are and belong " +
      "to no account, until `barge user add NAME --adopt` gives homes/NAME to one",
  });
}

/** Returns the size of a file; 0 for a missing one. */
function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}
