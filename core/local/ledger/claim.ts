/**
 * The claim of an upload on the file that it will replace, if both have the same account: the upload need not
 * reserve the file's bytes, and shares its entry.
 */
import type { Database } from "../database/database.ts";

/** Columns of an upload's row. */
export interface Claimed {
  /** Bytes that the upload frees when it replaces the file. */
  readonly credit: number;
  /** 0: the upload and the file are one entry. */
  readonly entry: number;
}

/**
 * SQL for the size of the file that an upload replaces, if the account owns it and no other upload
 * claims it; else null.
 *
 * @param account, name, folder SQL for the account, the name, and the id of the folder, or null
 * @param id the upload's own id, as SQL
 */
export function claim(account: string, name: string, folder: string, id = "0"): string {
  return `(SELECT size FROM file WHERE folder = ${folder} AND name = ${name} AND owner = ${account}
   AND NOT EXISTS (SELECT 1 FROM upload
     WHERE folder = ${folder} AND name = ${name} AND entry = 0 AND id <> ${id}))`;
}

/** Returns the claim of an upload to a path. Parameters as those of {@link claim}. */
export function claimOf(
  db: Database,
  account: number,
  name: string,
  folder: number | null,
  id = 0,
): Claimed {
  const sql = `SELECT ${claim("?1", "?2", "?3", "?4")}`;
  const size = db.value<number | null>(sql, account, name, folder, id) ?? null;
  return { credit: size ?? 0, entry: size === null ? 1 : 0 };
}
