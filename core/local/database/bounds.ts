/**
 * Bounds on the rows of an account or a stranger, which no quota counts. Each is checked in the
 * transaction that writes the row, so that concurrent requests don't pass it. docs/server.md lists them.
 */
import { BargeError } from "../../error.ts";
import type { Database } from "./database.ts";

/** Tokens of one account. */
export const maxTokens = 100;
/** Public keys of one account. */
export const maxKeys = 100;
/** Unsealed uploads of one account, also those under way. */
export const maxPartialUploads = 1000;
/** Share links of one account, also expired ones that are still listed. */
export const maxShares = 1000;
/** WebDAV locks of one account. */
export const maxLocks = 1000;
/** Finished uploads of one account that are remembered; the oldest is forgotten first. */
export const maxFinishedUploads = 1000;
/** Existing accounts that strangers registered. */
export const maxRegisteredAccounts = 10_000;

/** WebDAV properties of a file or folder, and of an account: their number, and octets of UTF-8 in all columns. */
export const propertyBounds = {
  each: { count: 256, octets: 256 * 1024 },
  account: { count: 1_000_000, octets: 256 * 1024 * 1024 },
} as const;

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
