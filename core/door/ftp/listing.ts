/** Formats entries: as `ls -l` for people and old programs, as facts for programs (RFC 3659). */
import type { Entry } from "../../protocol/message.ts";
import { parseTime as parseRfc3339 } from "../../protocol/time.ts";
import { inLine } from "./name.ts";

/** All facts, in the order of a line. */
export const facts = ["modify", "perm", "size", "type", "unix.mode", "unix.owner"] as const;
export type Fact = typeof facts[number];

const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const halfYearMs = 182 * 24 * 3600 * 1000;

/**
 * Formats an entry as `ls -l`, without a line end. Times are UTC; within the last half year they have
 * minutes in place of the year.
 *
 * @example
 * ```ts
 * import { longLine } from "./listing.ts";
 * const entry = {
 *   name: "a b",
 *   type: "file" as const,
 *   size: 12,
 *   owner: "anna",
 *   sha256: null,
 *   modified: "2020-02-03T04:05:06.000Z",
 * };
 * const line = longLine(entry, Date.parse("2020-03-01"));
 * if (line !== "-rw-r--r--   1 anna     barge              12 Feb  3 04:05 a b") throw new Error(line);
 * ```
 */
export function longLine({ name, type, size, modified, owner }: Entry, now: number): string {
  const mode = type === "dir" ? "drwxr-xr-x   2" : "-rw-r--r--   1";
  const time = new Date(modified);
  const age = now - time.getTime();
  const day = `${months[time.getUTCMonth()]} ${String(time.getUTCDate()).padStart(2)}`;
  const rest = age > halfYearMs || age < -24 * 3600 * 1000
    ? String(time.getUTCFullYear()).padStart(5)
    : time.toISOString().slice(11, 16);
  const who = `${(owner ?? "-").padEnd(8)} ${"barge".padEnd(8)}`;
  return `${mode} ${who} ${String(size).padStart(12)} ${day} ${rest} ${inLine(name)}`;
}

/**
 * Formats the facts of an entry as MLST and MLSD do (RFC 3659, section 7).
 *
 * @param chosen the facts to list
 * @param perm the client's rights: the letters of section 7.5.5
 *
 * @example
 * ```ts
 * import { factsLine } from "./listing.ts";
 * const entry = {
 *   name: "a",
 *   type: "file" as const,
 *   size: 12,
 *   owner: null,
 *   sha256: null,
 *   modified: "2020-02-03T04:05:06.789Z",
 * };
 * const line = factsLine(entry, new Set(["modify", "size", "type"]), "r");
 * if (line !== "modify=20200203040506;size=12;type=file; a") throw new Error(line);
 * ```
 */
export function factsLine(entry: Entry, chosen: ReadonlySet<Fact>, perm: string): string {
  const { name, type, size, modified, owner } = entry;
  const values: Record<Fact, string | undefined> = {
    modify: formatTime(modified),
    perm,
    size: type === "file" ? String(size) : undefined,
    type,
    "unix.mode": type === "file" ? "0644" : "0755",
    "unix.owner": owner ?? undefined,
  };
  const listed = facts.filter((fact) => chosen.has(fact) && values[fact] !== undefined);
  return `${listed.map((fact) => `${fact}=${values[fact]};`).join("")} ${inLine(name)}`;
}

/** Formats an RFC 3339 time in UTC to the second, for MDTM, MFMT and facts (RFC 3659, section 2.3). */
export function formatTime(time: string): string {
  return time.slice(0, 19).replace(/[-:T]/g, "");
}

/**
 * Parses a time as {@link formatTime} writes it, or with a fraction of a second.
 *
 * @returns ms since 1970; undefined for a malformed time
 *
 * @example
 * ```ts
 * import { parseTime } from "./listing.ts";
 * if (parseTime("20200203040506.7") !== Date.parse("2020-02-03T04:05:06.700Z")) throw new Error();
 * if (parseTime("20161231235960") !== Date.UTC(2017, 0, 1)) throw new Error();
 * if (parseTime("20201303040506") !== undefined || parseTime("2020") !== undefined) throw new Error();
 * ```
 */
export function parseTime(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{1,9})?$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = ""] = match;
  return parseRfc3339(`${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}Z`);
}
