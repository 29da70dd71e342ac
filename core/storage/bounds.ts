/**
 * The most rows that one account, or a stranger, can make storage keep.
 *
 * An account's quota counts bytes in files, and not the rows of other tables. Each kind of row has a bound of
 * its own here, which is checked in the step that writes the row, so that concurrent requests can't exceed
 * it. docs/server.md lists all bounds.
 */

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
/** Existing accounts that strangers registered. */
export const maxRegisteredAccounts = 10_000;

/** WebDAV properties of one file or folder, and of one account: their number, and octets of UTF-8 in all columns. */
export const propertyBounds = {
  each: { count: 256, octets: 256 * 1024 },
  account: { count: 1_000_000, octets: 256 * 1024 * 1024 },
} as const;
