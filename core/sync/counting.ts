/**
 * The base of Semaphore and BoundedSemaphore. Waiters get permits in the order of their arrival,
 * one each. A caller that comes while others wait is last, and gets none if it does not wait.
 */
import { Holdable } from "./holdable.ts";
import {
  acquireDeadline,
  type AcquireOptions,
  type AsyncOptions,
  count,
  deadline,
} from "./options.ts";
import { type Permits, TooManyPermits } from "./permits.ts";

export abstract class Counting<K extends "Semaphore" | "BoundedSemaphore"> extends Holdable<K> {
  readonly #maxFree: number;

  /** @param maxFree the largest number of free permits */
  protected constructor(permits: Permits<K>, maxFree: number) {
    super(permits);
    this.#maxFree = maxFree;
  }

  /** The current number of free permits. */
  get value(): number {
    return this.permits.free;
  }

  /**
   * Acquires a permit, blocking the isolate until there is one.
   *
   * @returns false if the timeout has passed
   * @throws RangeError for a negative timeout, and for a timeout without blocking
   */
  acquire(options: AcquireOptions = {}): boolean {
    return this.permits.acquire(acquireDeadline(options));
  }

  /**
   * Acquires a permit without blocking the isolate.
   *
   * @returns false if the timeout has passed
   * @throws RangeError for a negative timeout; the reason of an aborted signal
   */
  async acquireAsync({ timeout, signal }: AsyncOptions = {}): Promise<boolean> {
    return await this.permits.acquireAsync(deadline(timeout), signal);
  }

  /**
   * Releases permits, first to waiters. The caller need not have acquired them.
   *
   * @param n at least 1
   * @throws RangeError if `n` is less, or more permits than allowed would be free; nothing changes
   *   then
   */
  release(n = 1): void {
    count(n, "the number of permits to release", 1);
    try {
      this.permits.release(n, this.#maxFree);
    } catch (error) {
      if (!(error instanceof TooManyPermits)) throw error;
      throw new RangeError(`semaphore released too often: at most ${this.#maxFree} can be free`);
    }
  }
}
