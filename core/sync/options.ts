/** Options of waits, and the deadlines that follow from them. */

/** The longest timeout in seconds, as `threading.TIMEOUT_MAX`: some 292 years. */
export const TIMEOUT_MAX = 9223372036;

export interface WaitOptions {
  /** Seconds from now; 0: do not wait; undefined: wait without a limit. */
  readonly timeout?: number;
}

export interface AsyncOptions extends WaitOptions {
  /** Ends the wait with the signal's reason, unless the wait was already granted. */
  readonly signal?: AbortSignal;
}

export interface AcquireOptions extends WaitOptions {
  /** False: do not wait; excludes a timeout. Default true. */
  readonly blocking?: boolean;
}

export interface RoomOptions {
  /** The most agents that can wait; one more gets a RangeError. Default 1024, 16 bytes each. */
  readonly waiters?: number;
}

/**
 * Returns the end of a wait.
 *
 * @param timeout seconds; undefined: never
 * @returns milliseconds on the clock of `performance.now()`
 * @throws RangeError if it is negative, not a number, or over {@link TIMEOUT_MAX}
 */
export function deadline(timeout: number | undefined): number {
  if (timeout === undefined || timeout === null) return Infinity;
  if (typeof timeout !== "number") throw new TypeError("a timeout is a number of seconds");
  if (!(timeout >= 0)) throw new RangeError(`a timeout can't be ${timeout}: it must be 0 or more`);
  if (timeout > TIMEOUT_MAX) {
    throw new RangeError(`a timeout can't be ${timeout}: TIMEOUT_MAX is ${TIMEOUT_MAX} seconds`);
  }
  return performance.now() + timeout * 1000;
}

/** Returns the {@link deadline} of a wait; with `blocking: false`, a time in the past. @throws RangeError */
export function acquireDeadline({ blocking = true, timeout }: AcquireOptions): number {
  if (blocking) return deadline(timeout);
  if (timeout !== undefined) {
    throw new RangeError("a timeout needs blocking: leave one of them out");
  }
  return -Infinity;
}

/** Returns the {@link acquireDeadline} for a lock, where a timeout of -1 means none, as in Python. */
export function lockDeadline({ blocking = true, timeout }: AcquireOptions): number {
  return acquireDeadline({ blocking, timeout: timeout === -1 ? undefined : timeout });
}

/**
 * Checks a count.
 *
 * @param name of the number, for the message
 * @param min the smallest allowed number
 * @throws RangeError unless it is an integer from `min` to 2^31 - 1
 */
export function count(value: number, name: string, min: number): number {
  if (Number.isInteger(value) && value >= min && value <= 0x7fffffff) return value;
  throw new RangeError(`${name} can't be ${value}: it must be an integer from ${min} to 2^31 - 1`);
}
