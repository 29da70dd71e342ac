/**
 * Decides whether short system calls are made on the calling thread or on another one.
 *
 * Handing a call to another thread costs about 50 us and two context switches. On a fast disk, a small
 * read or sync takes less than that; on a slow one it would hold up the event loop. So the calls block
 * the calling thread while they are fast, and go to another thread for a minute once they are slow.
 */
const slowPeriodMs = 60_000;
/**
 * The number of calls that the average is about. On a busy machine, some calls take long because the thread has
 * to wait for a CPU; another thread would wait as well.
 */
const averagedCalls = 32;

/** One kind of system call, shared by all callers. */
export class BlockingCalls {
  readonly #limitMs: number;
  /** A moving average, in which a single call counts for at most four times the limit. */
  #averageMs = 0;
  #slowUntil = 0;

  /** @param limitMs calls that take longer on average are slow */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Whether the next call may block this thread. */
  get allowed(): boolean {
    return this.#slowUntil === 0 || performance.now() >= this.#slowUntil;
  }

  /** Makes a call on this thread, and records its time. @throws the error of `call` */
  run<T>(call: () => T): T {
    const start = performance.now();
    const result = call();
    const ms = Math.min(performance.now() - start, 4 * this.#limitMs);
    this.#averageMs += (ms - this.#averageMs) / averagedCalls;
    if (this.#averageMs >= this.#limitMs) {
      this.#slowUntil = performance.now() + slowPeriodMs;
      this.#averageMs = 0;
    }
    return result;
  }
}
