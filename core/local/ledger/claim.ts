/** The bytes and the entry that an upload has because it replaces a file of its own account. */
import type { Database } from "../database/database.ts";

/** As the row of an upload has it. */
export interface Claimed {
  /** Bytes that it will give back. */
  readonly credit: number;
  /** 0: it is one entry with the file. */
  readonly entry: number;
}

/**
 * SQL for the size of the file that an upload would replace, if it is the account's own and no other
 * upload counts on it; null else.
 *
 * @param account, name, folder SQL for these; the folder's is its id, or null
 * @param id that of the upload, which may count on it already
 */
export function claim(account: string, name: string, folder: string, id = "0"): string {
  return `(SELECT size FROM file WHERE folder = ${folder} AND name = ${name} AND owner = ${account}
   AND NOT EXISTS (SELECT 1 FROM upload
     WHERE folder = ${folder} AND name = ${name} AND entry = 0 AND id <> ${id}))`;
}

/** Returns the claim that an upload would have there. Parameters as those of {@link claim}. */
export function claimOf(
  db: Database,
  account: number,
  name: string,
  folder: number | null,
  id = 0,
): Claimed {
  const { size } = db.get<{ size: number | null }>(
    `SELECT ${claim("?1", "?2", "?3", "?4")} AS size`,
    ...[account, name, folder, id],
  )!;
  return { credit: size ?? 0, entry: size === null ? 1 : 0 };
}
