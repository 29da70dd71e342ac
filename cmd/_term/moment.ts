/** Reads a time on the command line: an age like `30d`, or a date. */
import { parseDay } from "../../core/protocol/time.ts";
import { parseSpan, valueParser } from "./value.ts";

/**
 * Returns the time that a text names, in ms since 1970; undefined if it names none.
 *
 * @param text an age in seconds, minutes, hours, days or weeks, or a date in ISO 8601: a day alone
 *   begins at midnight of the local time
 * @param now in ms since 1970
 *
 * @example
 * ```ts
 * import { parseMoment } from "./moment.ts";
 * if (parseMoment("2h", 10_000_000) !== 2_800_000) throw new Error();
 * if (parseMoment("2026-11-30T08:00:00Z", 0) !== Date.UTC(2026, 10, 30, 8)) throw new Error();
 * if (parseMoment("yesterday", 0) !== undefined) throw new Error();
 * if (parseMoment("2026-02-30", 0) !== undefined) throw new Error();
 * ```
 */
export function parseMoment(text: string, now: number): number | undefined {
  const age = parseSpan(text);
  if (age !== undefined) return now - age;
  if (parseDay(text.slice(0, 10)) === undefined) return undefined; // Date takes 2026-02-30 for March
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  if (!isDay && !/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(text)) return undefined;
  const time = Date.parse(isDay ? `${text}T00:00` : text);
  return Number.isNaN(time) ? undefined : time;
}

/** An age or a date. */
export function moment() {
  const wanted = "an age like 90m, 12h, 30d or 2w, or a date like 2026-11-30 or 2026-11-30T08:00";
  return valueParser("TIME", (text) => parseMoment(text, Date.now()), wanted);
}
