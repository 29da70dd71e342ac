/** The times at which requests to other servers are repeated. */

const firstDelayMs = 1_000;
/** The answers of a server that can't take a request now. */
const busyStatuses = new Set([429, 502, 503, 504]);

/** Returns whether a server that answers with this status may take the same request later. */
export function isBusy(status: number): boolean {
  return busyStatuses.has(status);
}

/**
 * Returns the delay before the next attempt, in ms: 1 s, 2 s, 4 s and so on, up to `maxMs`. A random part, at most
 * half of it, is left out, so that requests that failed together are not all repeated at the same time.
 *
 * @param failures failed attempts, from 1
 * @param random from 0 up to 1
 *
 * @example
 * ```ts
 * import { backoff } from "./retry.ts";
 * if (backoff(3, 3_600_000, 0) !== 4000 || backoff(3, 3_600_000, 0.5) !== 3000) throw new Error();
 * if (backoff(99, 30_000, 0) !== 30_000) throw new Error();
 * ```
 */
export function backoff(failures: number, maxMs: number, random: number = Math.random()): number {
  const delay = Math.min(firstDelayMs * 2 ** Math.min(failures - 1, 30), maxMs);
  return delay * (1 - random / 2);
}

/**
 * Returns the delay that the field Retry-After asks for (RFC 9110, section 10.2.3), in ms.
 *
 * @param now milliseconds since 1970
 * @returns undefined for no field, and for one that can't be parsed
 *
 * @example
 * ```ts
 * import { retryAfterMs } from "./retry.ts";
 * const delayOf = (field: string, now = 0) => retryAfterMs(new Headers({ "retry-after": field }), now);
 * if (delayOf("120") !== 120_000 || delayOf("soon") !== undefined) throw new Error();
 * if (delayOf("Thu, 01 Jan 1970 00:00:10 GMT", 4000) !== 6000) throw new Error();
 * ```
 */
export function retryAfterMs(headers: Headers, now: number = Date.now()): number | undefined {
  const field = headers.get("retry-after");
  if (field === null) return undefined;
  if (/^\d{1,9}$/.test(field)) return Number(field) * 1000;
  const time = Date.parse(field);
  return Number.isNaN(time) ? undefined : Math.max(0, time - now);
}
