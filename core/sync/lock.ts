/**
 * A lock that any agent may take and any agent may give back, as Python's `threading.Lock`.
 *
 * Memory: that of Permits with one permit: its word is 1 unlocked, 0 locked, -1 locked and waited
 * for. The lock goes to those who wait in the order of their coming; one that comes while somebody
 * waits comes last.
 *
 * Nobody owns it: a worker that is terminated leaves it locked, and whoever knows of that may
 * release it. An isolate that blocks in `acquire` while one of its own async tasks has the lock, or
 * is next to get it, waits for itself; tasks use `acquireAsync`.
 */
import type { Handle } from "./handle.ts";
import { holding } from "./hold.ts";
import {
  type AcquireOptions,
  type AsyncOptions,
  lockDeadline,
  type RoomOptions,
} from "./options.ts";
import { Permits, TooMany } from "./permits.ts";

/**
 * @example
 * ```ts
 * import { Lock } from "./mod.ts";
 * const lock = new Lock();
 * {
 *   using _ = lock.hold();
 *   if (lock.acquire({ blocking: false })) throw new Error("it was held");
 * }
 * if (lock.locked()) throw new Error("it was let go");
 * ```
 */
export class Lock {
  readonly #permits: Permits<"Lock">;

  /** @param permits only for {@link attach} */
  constructor(
    options: RoomOptions = {},
    permits: Permits<"Lock"> = Permits.make("Lock", 1, options.waiters),
  ) {
    this.#permits = permits;
  }

  /** The same lock, in another isolate. @throws TypeError where it is no lock's handle */
  static attach(handle: Handle<"Lock">): Lock {
    return new Lock({}, Permits.attach("Lock", handle));
  }

  get handle(): Handle<"Lock"> {
    return this.#permits.handle;
  }

  /**
   * Takes the lock, blocking the isolate while others have it.
   *
   * @returns false when the timeout has passed
   * @throws RangeError for a negative timeout but -1, which is none, and for one without blocking
   */
  acquire(options: AcquireOptions = {}): boolean {
    return this.#permits.acquire(lockDeadline(options));
  }

  /**
   * Takes the lock without blocking the isolate.
   *
   * @returns false when the timeout has passed
   * @throws RangeError for a negative timeout but -1; the signal's reason, when it is aborted
   */
  async acquireAsync({ timeout, signal }: AsyncOptions = {}): Promise<boolean> {
    return await this.#permits.acquireAsync(lockDeadline({ timeout }), signal);
  }

  /** Gives the lock to the first who waits, or to nobody. @throws Error where it is unlocked */
  release(): void {
    try {
      this.#permits.release(1, 1);
    } catch (error) {
      throw error instanceof TooMany ? new Error("can't release an unlocked lock") : error;
    }
  }

  /** Does somebody have it? */
  locked(): boolean {
    return this.#permits.free === 0;
  }

  /** Takes the lock until the end of the block: `using _ = lock.hold()`. */
  hold(): Disposable {
    this.acquire();
    return holding(() => this.release());
  }

  /** As {@link hold}, without blocking. @throws the signal's reason, when it is aborted */
  async holdAsync({ signal }: Pick<AsyncOptions, "signal"> = {}): Promise<Disposable> {
    await this.acquireAsync({ signal });
    return holding(() => this.release());
  }

  /** May a {@link Condition} release it? Nobody owns a lock: whether it is locked. */
  isOwned(): boolean {
    return this.locked();
  }

  /** Releases it wholly, for a {@link Condition}. @returns how deep it was held */
  releaseSave(): number {
    this.release();
    return 1;
  }

  /** Undoes {@link releaseSave}. */
  acquireRestore(_depth: number): void {
    this.#permits.acquire(Infinity);
  }

  /** Undoes {@link releaseSave} without blocking. */
  async acquireRestoreAsync(_depth: number): Promise<void> {
    await this.#permits.acquireAsync(Infinity);
  }
}
