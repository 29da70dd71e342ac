/** The bound on the partial uploads of an account, in SQL. */
import { BargeError } from "../../error.ts";
import { maxPartialUploads } from "../../storage/bounds.ts";
import type { Database } from "./database.ts";

/** SQL for the number of partial uploads. Parameter 1: the account. */
export const partialUploads = "(SELECT count(*) FROM upload WHERE account = ?1 AND sha256 IS NULL)";

/** Returns whether an account has the maximum of partial uploads. */
export function isFullOfPartials(db: Database, account: number): boolean {
  const sql = `SELECT 1 WHERE ${partialUploads} >= ${maxPartialUploads}`;
  return db.get(sql, account) !== undefined;
}

/** Returns the refusal of another partial upload. */
export function tooManyPartials(db: Database, id: number): BargeError {
  const account = db.value<string>("SELECT name FROM account WHERE id = ?", id);
  const why = `the account has ${maxPartialUploads} partial uploads, as many as it may`;
  return new BargeError("over-quota", why, {
    account,
    hint: "finish or drop some: `barge ls --partial` lists them, `barge rm --partial` drops them",
  });
}
