/** What callers may say about waiting, and how it becomes a deadline. */

/** The longest timeout in seconds, as `threading.TIMEOUT_MAX`: some 292 years. */
export const TIMEOUT_MAX = 9223372036;

/** How long to block. */
export interface WaitOptions {
  /** Seconds from now; 0 only looks; undefined waits for as long as it takes. */
  readonly timeout?: number;
}

/** How long to wait without blocking the isolate. */
export interface AsyncOptions extends WaitOptions {
  /** Ends the wait with the signal's reason; whoever has been given something keeps it. */
  readonly signal?: AbortSignal;
}

/** How to block for a lock or permit. */
export interface AcquireOptions extends WaitOptions {
  /** False: only look, whatever the state; goes with no timeout. Default true. */
  readonly blocking?: boolean;
}

/** How much memory to set aside. */
export interface RoomOptions {
  /** How many may wait at once; one more is a RangeError. Default 1024, 16 bytes each. */
  readonly waiters?: number;
}

/**
 * When a wait ends.
 *
 * @param timeout seconds; undefined: never
 * @returns milliseconds on the clock of `performance.now()`
 * @throws RangeError where it is negative, not a number, or over {@link TIMEOUT_MAX}
 */
export function deadline(timeout: number | undefined): number {
  if (timeout === undefined || timeout === null) return Infinity;
  if (typeof timeout !== "number") throw new TypeError("a timeout is a number of seconds");
  if (!(timeout >= 0)) throw new RangeError(`a timeout can't be ${timeout}: it is not negative`);
  if (timeout > TIMEOUT_MAX) {
    throw new RangeError(`a timeout can't be ${timeout}: TIMEOUT_MAX is ${TIMEOUT_MAX} seconds`);
  }
  return performance.now() + timeout * 1000;
}

/** When an attempt that may be told not to block ends: at once, if so. @throws RangeError */
export function acquireDeadline({ blocking = true, timeout }: AcquireOptions): number {
  if (blocking) return deadline(timeout);
  if (timeout !== undefined) {
    throw new RangeError("a timeout needs blocking: leave one of them out");
  }
  return -Infinity;
}

/** As {@link acquireDeadline}; for locks, as in Python, a timeout of -1 is none. */
export function lockDeadline({ blocking = true, timeout }: AcquireOptions): number {
  return acquireDeadline({ blocking, timeout: timeout === -1 ? undefined : timeout });
}

/**
 * Checks a count.
 *
 * @param what what is counted, for the message
 * @param least the smallest allowed
 * @throws RangeError unless it is an integer from `least` to 2^31 - 1
 */
export function count(value: number, what: string, least: number): number {
  if (Number.isInteger(value) && value >= least && value <= 0x7fffffff) return value;
  throw new RangeError(`${what} can't be ${value}: it is an integer from ${least} to 2^31 - 1`);
}
