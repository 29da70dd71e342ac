import { BargeError } from "../../error.ts";
import type { Account } from "../../storage/account.ts";
import type { Database } from "../database/database.ts";

/** `left`: bytes; null without a quota. */
type Row =
  & Pick<Account, "name" | "reserved" | "entries" | "entryLimit">
  & { readonly left: number | null };

/**
 * Returns the refusal of an account that has no more room, or no more entries.
 *
 * @param needs the bytes that an upload needs
 * @param entries 1 if another entry is needed
 */
export function overQuota(
  db: Database,
  account: number,
  needs: number,
  entries: number,
): BargeError {
  const row = db.get<Row>(
    `SELECT name, max(0, quota - used - reserved) AS left, reserved, entries, entry_limit AS entryLimit
     FROM account WHERE id = ?`,
    account,
  );
  if (!row) return new BargeError("denied", "the account is gone");
  const { name, left, reserved, entryLimit: limit } = row;
  const refusal = (why: string, more: string) =>
    new BargeError("over-quota", why, {
      account: name,
      hint: `remove something, or ask for more ${more}`,
    });
  if ((left === null || needs <= left) && entries > 0 && limit !== null && row.entries >= limit) {
    const taken = `${row.entries} of ${limit} are taken (files, folders and partial uploads)`;
    return refusal(`needs 1 more entry, ${taken}`, "entries");
  }
  const held = reserved > 0 ? `; ${reserved} are held by unfinished uploads` : "";
  return refusal(`needs ${needs} bytes, ${left} are left${held}`, "room");
}
