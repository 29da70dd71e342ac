/** How files and folders look to SFTP clients: attributes, and the line that `ls -l` shows. */
import type { Entry } from "../../protocol/message.ts";
import { printable } from "../../protocol/printable.ts";
import type { Attrs } from "./packet.ts";

const folderMode = 0o040755;
const fileMode = 0o100644;
/** Accounts are shown as users from this number on, so that they look like people's. */
const firstUser = 1000;

/** The ids of accounts by their names: version 3 has numbers in place of names. */
export type Users = ReadonlyMap<string, number>;

/** The number of an account's id as a user, and back. */
export const userOf = {
  /** Whom a file that nobody is charged for belongs to. */
  nobody: 65_534,
  number: (id: number | undefined) => id === undefined ? userOf.nobody : firstUser + id,
  id: (number: number) => number - firstUser,
};

/** @param entry what the session tells of it */
export function attrsOf(entry: Entry, users: Users): Attrs {
  const uid = userOf.number(entry.owner === null ? undefined : users.get(entry.owner));
  const mtime = seconds(Date.parse(entry.modified));
  const mode = entry.type === "dir" ? folderMode : fileMode;
  return { size: entry.size, uid, gid: uid, mode, atime: mtime, mtime };
}

/** Of an upload that is under way, or was cut off. */
export function uploadAttrs(size: number, owner: number, modified = Date.now()): Attrs {
  const uid = userOf.number(owner);
  const mtime = seconds(modified);
  return { size, uid, gid: uid, mode: fileMode, atime: mtime, mtime };
}

/** A time as version 3 can say it: seconds since 1970, in 32 bits. */
export function seconds(ms: number): number {
  return Math.min(0xffffffff, Math.max(0, Math.floor(ms / 1000)));
}

const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const halfYear = 182 * 24 * 3600 * 1000;

/**
 * An entry as `ls -l` prints it, in UTC: for people, who see control characters escaped. Programs
 * take the name from the field beside it.
 *
 * @param now milliseconds since 1970: times that are long ago are told with their year
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
  const time = new Date(modified);
  const recent = Math.abs(now - time.getTime()) < halfYear;
  const pad = (n: number) => String(n).padStart(2, "0");
  const tail = recent
    ? `${pad(time.getUTCHours())}:${pad(time.getUTCMinutes())}`
    : ` ${time.getUTCFullYear()}`;
  const day = `${months[time.getUTCMonth()]} ${String(time.getUTCDate()).padStart(2)} ${tail}`;
  const who = (owner ?? "-").padEnd(8);
  const mode = type === "dir" ? "drwxr-xr-x" : "-rw-r--r--";
  return `${mode}    1 ${who} ${who} ${String(size).padStart(12)} ${day} ${printable(name)}`;
}
