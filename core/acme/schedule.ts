/** Decides when a certificate is renewed, and when a failed try is repeated. */

const firstRetryMs = 5 * 60_000;
const maxRetryMs = 12 * 3600_000;
/** The longest time that an authority may ask for. */
const maxAskedMs = 7 * 24 * 3600_000;
const renewalShare = 2 / 3;
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
