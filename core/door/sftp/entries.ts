/** Formats entries for SFTP clients: attributes, and the line of `ls -l`. */
import type { Entry } from "../../protocol/message.ts";
import { printable } from "../../protocol/printable.ts";
import type { Attrs } from "./packet.ts";

const folderMode = 0o040755;
const fileMode = 0o100644;
/** The user number of account 0; smaller numbers look like system users. */
const firstUserNumber = 1000;

/** The ids of accounts by their names: version 3 has numbers in place of names. */
export type Users = ReadonlyMap<string, number>;

/** Maps ids of accounts to user numbers, and back. */
export const userOf = {
  /** The owner of a file that no account is charged for. */
  nobody: 65_534,
  number: (id: number | undefined) => id === undefined ? userOf.nobody : firstUserNumber + id,
  id: (number: number) => number - firstUserNumber,
};

export function attrsOf({ size, owner, modified, type }: Entry, users: Users): Attrs {
  const id = owner === null ? undefined : users.get(owner);
  const attrs = uploadAttrs(size, id, Date.parse(modified));
  return type === "dir" ? { ...attrs, mode: folderMode } : attrs;
}

/** Returns the attributes of an upload under way, or of a partial upload. */
export function uploadAttrs(size: number, owner: number | undefined, modified = Date.now()): Attrs {
  const uid = userOf.number(owner);
  const mtime = seconds(modified);
  return { size, uid, gid: uid, mode: fileMode, atime: mtime, mtime };
}

/** Converts a time to version 3's format: seconds since 1970, in 32 bits. */
export function seconds(ms: number): number {
  return Math.min(0xffffffff, Math.max(0, Math.floor(ms / 1000)));
}

const halfYearMs = 182 * 24 * 3600 * 1000;

/**
 * Formats an entry as `ls -l`, in UTC and with control characters escaped, for people. Programs take
 * the name from another field.
 *
 * @param now ms since 1970; times more than half a year away have their year in place of the hour
 *
 * @example
 * ```ts
 * import { longName } from "./entries.ts";
 * const entry = {
 *   name: "a.txt", type: "file" as const, size: 5, modified: "2026-01-02T03:04:05Z",
 *   owner: "anna", sha256: null,
 * };
 * const line = longName(entry, Date.parse("2026-02-01"));
 * if (line !== "-rw-r--r--    1 anna     anna                5 Jan  2 03:04 a.txt") throw line;
 * ```
 */
export function longName(
  { name, type, size, modified, owner }: Entry,
  now: number = Date.now(),
): string {
  const date = new Date(modified);
  const [, day, month, year, time] = date.toUTCString().split(" "); // Fri, 02 Jan 2026 03:04:05 GMT
  const recent = Math.abs(now - date.getTime()) < halfYearMs;
  const when = `${month} ${day.replace(/^0/, " ")} ${recent ? time.slice(0, 5) : ` ${year}`}`;
  const user = (owner ?? "-").padEnd(8);
  const mode = type === "dir" ? "drwxr-xr-x" : "-rw-r--r--";
  return `${mode}    1 ${user} ${user} ${String(size).padStart(12)} ${when} ${printable(name)}`;
}
