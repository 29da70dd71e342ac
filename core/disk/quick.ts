/**
 * Whether what the system does for us is over before another thread would have heard of it.
 *
 * To hand a call to another thread and back costs this one some 50 us and two switches; on a quick disk
 * (or one in memory) a small read or sync takes less than that, on a slow one it must not hold up the
 * event loop. So some are tried here, and where they are slow, those of the next minute are another
 * thread's.
 */
const pause = 60_000;

/** One kind of call, for all who make it. */
export class Quick {
  readonly #limit: number;
  /** In ms; one that the scheduler held up does not count for much. */
  #average = 0;
  #slowUntil = 0;

  /** @param limit calls that take more ms, on average, are slow */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Is the next call to be made on this thread? */
  get here(): boolean {
    return this.#slowUntil === 0 || performance.now() >= this.#slowUntil;
  }

  /** Makes a call on this thread. */
  try<T>(call: () => T): T {
    const began = performance.now();
    const result = call();
    this.took(performance.now() - began);
    return result;
  }

  /** Notes that a call took so many ms here. */
  took(ms: number): void {
    this.#average += (Math.min(ms, 4 * this.#limit) - this.#average) / 10;
    if (this.#average < this.#limit) return;
    this.#slowUntil = performance.now() + pause;
    this.#average = 0;
  }
}
