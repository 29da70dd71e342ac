/**
 * What a Semaphore and a BoundedSemaphore share: permits, how many may be free, and every method but
 * `attach`. Permits go to those who wait in the order of their coming, one each; one that comes
 * while somebody waits comes last, also where it would only have looked.
 */
import type { Handle } from "./handle.ts";
import { holding } from "./hold.ts";
import {
  acquireDeadline,
  type AcquireOptions,
  type AsyncOptions,
  count,
  deadline,
} from "./options.ts";
import { type Permits, TooMany } from "./permits.ts";

export abstract class Counting<K extends "Semaphore" | "BoundedSemaphore"> {
  readonly #permits: Permits<K>;
  readonly #most: number;

  /** @param most how many may be free */
  protected constructor(permits: Permits<K>, most: number) {
    this.#permits = permits;
    this.#most = most;
  }

  get handle(): Handle<K> {
    return this.#permits.handle;
  }

  /** How many permits are free right now. */
  get value(): number {
    return this.#permits.free;
  }

  /**
   * Takes a permit, blocking the isolate until there is one.
   *
   * @returns false when the timeout has passed
   * @throws RangeError for a negative timeout, and for one without blocking
   */
  acquire(options: AcquireOptions = {}): boolean {
    return this.#permits.acquire(acquireDeadline(options));
  }

  /**
   * Takes a permit without blocking the isolate.
   *
   * @returns false when the timeout has passed
   * @throws RangeError for a negative timeout; the signal's reason, when it is aborted
   */
  async acquireAsync({ timeout, signal }: AsyncOptions = {}): Promise<boolean> {
    return await this.#permits.acquireAsync(deadline(timeout), signal);
  }

  /**
   * Gives permits back, first to those who wait; one need not have taken them.
   *
   * @param n how many, at least one
   * @throws RangeError where it is not, or more would be free than may be; nothing is changed then
   */
  release(n = 1): void {
    count(n, "the number of permits to release", 1);
    try {
      this.#permits.release(n, this.#most);
    } catch (error) {
      if (!(error instanceof TooMany)) throw error;
      throw new RangeError(`semaphore released too often: at most ${this.#most} can be free`);
    }
  }

  /** Would one have to wait? */
  locked(): boolean {
    return this.#permits.free === 0;
  }

  /** Takes a permit until the end of the block: `using _ = semaphore.hold()`. */
  hold(): Disposable {
    this.acquire();
    return holding(() => this.release());
  }

  /** As {@link hold}, without blocking. @throws the signal's reason, when it is aborted */
  async holdAsync({ signal }: Pick<AsyncOptions, "signal"> = {}): Promise<Disposable> {
    await this.acquireAsync({ signal });
    return holding(() => this.release());
  }
}
