const firstDelayMs = 1_000;
/** The longest delay between two attempts at an event, in ms. */
export const maxDelayMs = 3_600_000;

/**
 * Returns the delay before the next attempt: 1 s, 2 s, 4 s and so on, up to `maxMs`. A random part, at most
 * half of it, is left out, so that events that failed together are not all tried at the same time.
 *
 * @param attempts failed attempts, from 1
 * @param random from 0 up to 1
 *
 * @example
 * ```ts
 * import { backoff } from "./backoff.ts";
 * if (backoff(3, 3_600_000, 0) !== 4000 || backoff(3, 3_600_000, 0.5) !== 3000) throw new Error();
 * ```
 */
export function backoff(
  attempts: number,
  maxMs: number = maxDelayMs,
  random: number = Math.random(),
): number {
  const delay = Math.min(firstDelayMs * 2 ** Math.min(attempts - 1, 30), maxMs);
  return delay * (1 - random / 2);
}

/**
 * Returns the delay that a Retry-After header asks for (RFC 9110, section 10.2.3), in ms.
 *
 * @param now milliseconds since 1970
 * @returns undefined without a header that can be read
 *
 * @example
 * ```ts
 * import { retryAfter } from "./backoff.ts";
 * if (retryAfter("120", 0) !== 120_000) throw new Error();
 * if (retryAfter("Thu, 01 Jan 1970 00:00:10 GMT", 4000) !== 6000) throw new Error();
 * if (retryAfter("soon", 0) !== undefined) throw new Error();
 * ```
 */
export function retryAfter(text: string | null, now: number = Date.now()): number | undefined {
  if (text === null) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
