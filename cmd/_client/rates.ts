/** Reads rates for `--limit-rate`, which may change with the time of day. */
import { parseSize } from "../../core/size.ts";
import { valueParser } from "../_term/value.ts";

/** The lowest rate. Servers cut a transfer below 1 KiB a second, and 16 connections may share the rate. */
const minBytesPerSecond = 16 * 1024;
const minutesADay = 24 * 60;

/** A time of day with a rate. A period whose end is not behind its start goes on over midnight. */
interface Period {
  /** In minutes since midnight. */
  readonly from: number;
  readonly to: number;
  /** Bytes a second. */
  readonly rate: number;
}

/** Returns the bytes a second that are allowed at a local time; Infinity for no limit. */
export type RateAt = (time: Date) => number;

/**
 * Reads a rate, or a timetable: periods of the local time with their rates, then the rate of all other
 * times, by default `none`. The first period that contains a time counts.
 *
 * @returns undefined for text that is no timetable, and for rates below 16 KiB a second
 *
 * @example
 * ```ts
 * import { parseRates } from "./rates.ts";
 * const rateAt = parseRates("08:00-18:00=500kB,22:00-06:00=none,2MB")!;
 * const at = (hour: number) => rateAt(new Date(2026, 10, 30, hour));
 * if ([at(8), at(18), at(23), at(5)].join() !== "500000,2000000,Infinity,Infinity") throw new Error();
 * if (parseRates("2MB")!(new Date()) !== 2_000_000) throw new Error();
 * if (parseRates("08:00-25:00=1MB") !== undefined) throw new Error();
 * ```
 */
export function parseRates(text: string): RateAt | undefined {
  const entries = text.split(",").map((entry) => entry.trim());
  const last = entries.at(-1)!.includes("=") ? "none" : entries.pop()!;
  const otherwise = parseRate(last);
  const periods = entries.map(parsePeriod);
  if (otherwise === undefined || !periods.every((period) => period !== undefined)) return undefined;
  return (time) => {
    const minute = time.getHours() * 60 + time.getMinutes();
    return periods.find((period) => contains(period, minute))?.rate ?? otherwise;
  };
}

/** A rate, or a timetable of rates. */
export function rates() {
  const wanted = "a rate like 2MB, at least 16 KiB, or a timetable like 08:00-18:00=500kB,2MB";
  return { ...valueParser("RATE", parseRates, wanted), types: ["integer", "string"] as const };
}

function parsePeriod(text: string): Period | undefined {
  const [, fromHour, fromMinute, toHour, toMinute, rateText] =
    /^(\d\d):(\d\d)-(\d\d):(\d\d)=(.+)$/.exec(text) ?? [];
  const from = minuteOf(fromHour, fromMinute);
  const to = minuteOf(toHour, toMinute);
  const rate = parseRate(rateText ?? "");
  if (from === undefined || to === undefined || rate === undefined) return undefined;
  return { from, to, rate };
}

function minuteOf(hour: string | undefined, minute: string): number | undefined {
  const time = Number(hour) * 60 + Number(minute);
  return Number(minute) < 60 && time <= minutesADay ? time : undefined;
}

function parseRate(text: string): number | undefined {
  if (text === "none") return Infinity;
  const rate = parseSize(text);
  return rate !== undefined && rate >= minBytesPerSecond ? rate : undefined;
}

function contains({ from, to }: Period, minute: number): boolean {
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}
