/** Parses times in the format of RFC 3339, for all doors. */
import { dayMs } from "../duration.ts";

const pattern =
  /^(\d{4})-(\d\d)-(\d\d)t(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:z|([+-])(\d\d):(\d\d))$/i;

/**
 * Parses a time with seconds and an offset, with at most 9 decimals, which are cut to milliseconds.
 *
 * `Date.parse` alone reads February 30 as March 2, and refuses the second 60. Here the second 60 is
 * accepted at the end of a month in UTC, where a leap second can be, and counts as the first second
 * of the next day, as in POSIX.
 *
 * @returns milliseconds since 1970; undefined for other text and for a time that does not exist
 *
 * @example
 * ```ts
 * import { parseTime } from "./time.ts";
 * if (parseTime("2026-03-01t12:00:00.5z") !== Date.UTC(2026, 2, 1, 12, 0, 0, 500)) throw new Error();
 * if (parseTime("2016-12-31T23:59:60Z") !== Date.UTC(2017, 0, 1)) throw new Error();
 * if (parseTime("2026-02-30T12:00:00Z") !== undefined) throw new Error();
 * ```
 */
export function parseTime(text: string): number | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, decimals = "", sign, offsetHour, offsetMinute] =
    match;
  const date = new Date(0);
  date.setUTCFullYear(+year, +month - 1, +day); // `Date.UTC` takes the years 0 to 99 for 1900 to 1999
  if (date.getUTCMonth() !== +month - 1 || date.getUTCDate() !== +day) return undefined;
  const [h, m, s, oh, om] = [+hour, +minute, +second, +(offsetHour ?? 0), +(offsetMinute ?? 0)];
  if (h > 23 || m > 59 || s > 60 || oh > 23 || om > 59) return undefined;
  const offset = (oh * 60 + om) * (sign === "-" ? -1 : 1);
  const whole = +date + ((h * 60 + m - offset) * 60 + s) * 1000;
  if (s === 60 && !beginsMonth(whole)) return undefined;
  return whole + +decimals.padEnd(3, "0").slice(0, 3);
}

function beginsMonth(ms: number): boolean {
  const time = new Date(ms);
  return time.getUTCDate() === 1 && ms % dayMs === 0;
}

/**
 * Parses a day, which stands for its start in UTC, or a time in the format of RFC 3339.
 *
 * @returns milliseconds since 1970; undefined for any other text
 *
 * @example
 * ```ts
 * import { parseDay } from "./time.ts";
 * if (parseDay("2027-01-31") !== Date.UTC(2027, 0, 31)) throw new Error();
 * if (parseDay("2027-02-31") !== undefined) throw new Error();
 * ```
 */
export function parseDay(text: string): number | undefined {
  return parseTime(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
}
