/** The sums of an account in the database of a data directory. */
import { BargeError } from "../../error.ts";
import { type AccountSums, type Need, overQuota } from "../../storage/over_quota.ts";
import type { Database } from "../database/database.ts";

/** Returns the sums of an account, and their limits. @throws {BargeError} `denied` for an account that is gone */
export function accountSums(db: Database, account: number): AccountSums {
  const sums = db.get<AccountSums>(
    `SELECT name, used, reserved, quota, entries, entry_limit AS entryLimit
     FROM account WHERE id = ?`,
    account,
  );
  if (!sums) throw new BargeError("denied", "the account is gone");
  return sums;
}

/** Returns the refusal of a change that was rolled back since an account had no room for it. */
export function refusalOf(db: Database, account: number, need: Need): BargeError {
  const sums = accountSums(db, account);
  return overQuota(sums, need) ?? new BargeError("over-quota", "there was no room for it", {
    account: sums.name,
    hint: "there is room now: try again",
  });
}
