/**
 * The most rows that one account, or a stranger, can make the database store.
 *
 * An account's quota counts bytes in files; rows of other tables cost nothing there. Each has a bound
 * of its own here, which is checked in the statement or transaction that writes the row, so that no
 * number of requests at once passes it. docs/server.md lists all of them.
 */
import { BargeError } from "../../error.ts";
import type { Database } from "./database.ts";

/** Tokens of one account. */
export const maxTokens = 100;
/** Public keys of one account. */
export const maxKeys = 100;
/** Uploads of one account that are no file yet, also those under way. */
export const maxPartialUploads = 1000;
/** Share links of one account, also those that have ended and are still listed. */
export const maxShares = 1000;
/** WebDAV locks of one account. */
export const maxLocks = 1000;
/** Finished uploads of one account that are remembered; the oldest is forgotten first. */
export const maxFinishedUploads = 1000;
/** Accounts that registered by themselves and exist. */
export const maxRegisteredAccounts = 10_000;

/** WebDAV properties of one file or folder, and of one account: their number, and octets of UTF-8 in all columns. */
export const propertyBounds = {
  each: { count: 256, octets: 256 * 1024 },
  account: { count: 1_000_000, octets: 256 * 1024 * 1024 },
} as const;

/** The number of partial uploads, in SQL. Parameter 1: the account. */
export const partialUploads = "(SELECT count(*) FROM upload WHERE account = ?1 AND sha256 IS NULL)";

/** Returns whether an account has as many partial uploads as it may. */
export function isFullOfPartials(db: Database, account: number): boolean {
  const sql = `SELECT 1 WHERE ${partialUploads} >= ${maxPartialUploads}`;
  return db.get(sql, account) !== undefined;
}

/** The refusal of one more partial upload. */
export function tooManyPartials(db: Database, id: number): BargeError {
  const sql = "SELECT name FROM account WHERE id = ?";
  const account = db.get<{ name: string }>(sql, id)?.name;
  const why = `the account has ${maxPartialUploads} partial uploads, as many as it may`;
  return new BargeError("over-quota", why, {
    account,
    hint: "finish or drop some: `barge ls --partial` lists them, `barge rm --partial` drops them",
  });
}
