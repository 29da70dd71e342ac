import { count } from "../../count.ts";
import { BargeError } from "../../error.ts";
import type { Account } from "../../storage/account.ts";
import type { Database } from "../database/database.ts";

/** `left`: bytes; null without a quota. */
type Row =
  & Pick<Account, "name" | "reserved" | "entries" | "entryLimit">
  & { readonly left: number | null };

/** The bytes and entries that a change needs. */
interface Need {
  /** All bytes, without those of the file that an upload replaces. Default: 0. */
  readonly bytes?: number;
  /** 1 if another entry is needed. Default: 0. */
  readonly entries?: number;
  /** The part of `bytes` that is already reserved for the upload. Default: 0. */
  readonly reserved?: number;
  /** The bytes of the replaced file, for an upload of unknown size that grows. */
  readonly credit?: number;
}

/** Returns the refusal of an account that has no more room, or no more entries. */
export function overQuota(
  db: Database,
  account: number,
  { bytes = 0, entries = 0, reserved: own = 0, credit }: Need,
): BargeError {
  const row = db.get<Row>(
    `SELECT name, max(0, quota - used - reserved + ?2) AS left, max(0, reserved - ?2) AS reserved,
       entries, entry_limit AS entryLimit
     FROM account WHERE id = ?1`,
    account,
    own,
  );
  if (!row) return new BargeError("denied", "the account is gone");
  const { name, left, reserved, entryLimit: limit } = row;
  const refusal = (why: string, more: string) =>
    new BargeError("over-quota", why, {
      account: name,
      hint: `remove something, or ask for more ${more}`,
    });
  if ((left === null || bytes <= left) && entries > 0 && limit !== null && row.entries >= limit) {
    const taken = `${row.entries} of ${limit} are taken (files, folders and partial uploads)`;
    return refusal(`needs 1 more entry, ${taken}`, "entries");
  }
  const held = reserved > 0 ? `; ${reserved} are held by other uploads` : "";
  const why = credit === undefined
    ? `needs ${count(bytes, "byte")}, ${left} are left`
    : `the upload is larger than the ${left! + credit} bytes that are left`;
  return refusal(why + held, "room");
}
