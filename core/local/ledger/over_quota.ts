/** Refusals of an account that has no more room or entries. */
import { BargeError } from "../../error.ts";
import type { Database } from "../database/database.ts";

/**
 * Returns the refusal of an upload.
 *
 * @param needs the bytes that it needs
 * @param entries 1 if it needs another entry
 */
export function overQuota(
  db: Database,
  account: number,
  needs: number,
  entries: number,
): BargeError {
  const row = db.get<{ name: string; left: number | null; reserved: number; full: number | null }>(
    `SELECT name, max(0, quota - used - reserved) AS left, reserved, entries >= entry_limit AS full
     FROM account WHERE id = ?`,
    account,
  );
  if (!row) return new BargeError("denied", "the account is gone");
  const fits = row.left === null || needs <= row.left;
  if (fits && entries > 0 && row.full) return entriesFull(db, account);
  const held = row.reserved > 0 ? `; ${row.reserved} are held by unfinished uploads` : "";
  return new BargeError("over-quota", `needs ${needs} bytes, ${row.left} are left${held}`, {
    account: row.name,
    hint: "remove something, or ask for more room",
  });
}

/** Returns the refusal of another entry. */
export function entriesFull(db: Database, account: number): BargeError {
  const row = db.get<{ name: string; entries: number; entry_limit: number | null }>(
    "SELECT name, entries, entry_limit FROM account WHERE id = ?",
    account,
  );
  if (!row) return new BargeError("denied", "the account is gone");
  const why = `needs 1 more entry, ${row.entries} of ${row.entry_limit} are taken ` +
    `(files, folders and partial uploads)`;
  return new BargeError("over-quota", why, {
    account: row.name,
    hint: "remove something, or ask for more entries",
  });
}
