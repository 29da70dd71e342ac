/** Decides when a certificate is renewed, and when a failed try is repeated. */

const firstRetryMs = 5 * 60_000;
const maxRetryMs = 12 * 3600_000;
/** The longest time that an authority may ask for. */
const maxAskedMs = 7 * 24 * 3600_000;
const renewalShare = 2 / 3;
/** A certificate is renewed when this part of its life is left, also if the authority suggests a later time. */
const leastShare = 1 / 10;
/** The time until an authority is asked for its suggestion again, in ms: the default, the least and the most. */
const defaultAskMs = 6 * 3600_000;
const minAskMs = 60_000;
const maxAskMs = 24 * 3600_000;
/** The part of a certificate's life over which renewals of many servers are spread. */
const spreadShare = 1 / 30;

/** The first and the last moment at which a certificate is valid. */
export interface Validity {
  readonly from: Date;
  readonly until: Date;
}

/**
 * Returns when to renew a certificate, in ms since 1970: at two thirds of its life, or a little earlier.
 *
 * @param random from 0 to 1
 *
 * @example
 * ```ts
 * import { renewalTime } from "./schedule.ts";
 * const life = { from: new Date(0), until: new Date(90_000) };
 * if (renewalTime(life, 0) !== 60_000 || renewalTime(life, 1) !== 57_000) throw new Error();
 * ```
 */
export function renewalTime({ from, until }: Validity, random = Math.random()): number {
  const [start, life] = [from.getTime(), until.getTime() - from.getTime()];
  return Math.round(start + life * (renewalShare - spreadShare * random));
}

/** The time in which an authority wants a certificate to be renewed. */
export interface Window {
  readonly start: Date;
  readonly end: Date;
}

/**
 * Returns when to renew a certificate for which the authority suggests a window, in ms since 1970: at the planned
 * time if that is in the window, else at a random time in the window (RFC 9773, section 4.2).
 *
 * @param planned in ms since 1970
 * @param random from 0 to 1
 *
 * @example
 * ```ts
 * import { timeInWindow } from "./schedule.ts";
 * const life = { from: new Date(0), until: new Date(100) };
 * const window = { start: new Date(40), end: new Date(60) };
 * const times = [50, 70, 0].map((planned) => timeInWindow(window, planned, life, 0.5));
 * if (times.join() !== "50,50,50" || timeInWindow(window, 70, life, 0) !== 40) throw times;
 * const late = { start: new Date(200), end: new Date(300) };
 * if (timeInWindow(late, 70, life, 0) !== 90) throw new Error("after the end of the certificate");
 * ```
 */
export function timeInWindow(
  { start, end }: Window,
  planned: number,
  { from, until }: Validity,
  random: number = Math.random(),
): number {
  const [first, last] = [start.getTime(), end.getTime()];
  const isInWindow = planned >= first && planned <= last;
  const time = isInWindow ? planned : Math.round(first + (last - first) * random);
  const life = until.getTime() - from.getTime();
  return Math.min(time, Math.round(until.getTime() - life * leastShare));
}

/**
 * Returns when to ask the authority for its suggestion again, in ms since 1970.
 *
 * @param askedMs the time that the authority has asked for; undefined: it does not say
 *
 * @example
 * ```ts
 * import { nextAskTime } from "./schedule.ts";
 * const hours = [undefined, 0, 7_200_000, 1e12].map((ms) => nextAskTime(ms, 0) / 3_600_000);
 * if (hours.join() !== `6,${1 / 60},2,24`) throw hours;
 * ```
 */
export function nextAskTime(askedMs: number | undefined, now: number = Date.now()): number {
  return now + Math.min(Math.max(askedMs ?? defaultAskMs, minAskMs), maxAskMs);
}

/**
 * Returns when to try again, in ms since 1970: after 5 minutes, and then after twice the time of before, up to 12
 * hours, and up to a quarter more at random. Four tries fail in the first hour: fewer than the five after which
 * Let's Encrypt refuses a domain for an hour.
 *
 * @param failures the tries that failed since the last success, 1 or more
 * @param retryAt not before this time, in ms since 1970; at most 7 days count
 *
 * @example
 * ```ts
 * import { retryTimeAfter } from "./schedule.ts";
 * const minute = 60_000;
 * const times = [1, 2, 3].map((n) => retryTimeAfter(n, { now: 0, random: 0 }) / minute);
 * if (times.join() !== "5,10,20" || retryTimeAfter(99, { now: 0, random: 0 }) !== 720 * minute) throw times;
 * if (retryTimeAfter(1, { now: 0, random: 0, retryAt: 1e8 }) !== 1e8) throw new Error();
 * ```
 */
export function retryTimeAfter(
  failures: number,
  { now = Date.now(), random = Math.random(), retryAt = 0 }: {
    readonly now?: number;
    readonly random?: number;
    readonly retryAt?: number;
  } = {},
): number {
  const delay = Math.min(firstRetryMs * 2 ** (failures - 1), maxRetryMs);
  return Math.round(Math.max(now + delay * (1 + random / 4), Math.min(retryAt, now + maxAskedMs)));
}
