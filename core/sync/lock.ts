/**
 * A lock, as Python's `threading.Lock`: any agent may acquire it, and any agent may release it.
 *
 * Its memory is that of Permits with one permit: the word is 1 for unlocked, 0 for locked, -1 for locked
 * with waiters. Waiters get the lock in the order of their arrival.
 *
 * The lock has no owner: a terminated worker leaves it locked, and another agent may release it. An
 * isolate deadlocks if it blocks in `acquire` while one of its own async tasks holds the lock or is
 * the next to get it; tasks use `acquireAsync`.
 */
import type { Handle } from "./handle.ts";
import { Holdable } from "./holdable.ts";
import {
  type AcquireOptions,
  type AsyncOptions,
  lockDeadline,
  type RoomOptions,
} from "./options.ts";
import { Permits, TooManyPermits } from "./permits.ts";

/**
 * @example
 * ```ts
 * import { Lock } from "./mod.ts";
 * const lock = new Lock();
 * {
 *   using _ = lock.hold();
 *   if (lock.acquire({ blocking: false })) throw new Error("it is held");
 * }
 * if (lock.locked()) throw new Error("it is released");
 * ```
 */
export class Lock extends Holdable<"Lock"> {
  /** @param permits only for {@link attach} */
  constructor(
    options: RoomOptions = {},
    permits: Permits<"Lock"> = Permits.make("Lock", 1, options.waiters),
  ) {
    super(permits);
  }

  /** Returns the same lock for another isolate. @throws TypeError for another kind of handle */
  static attach(handle: Handle<"Lock">): Lock {
    return new Lock({}, Permits.attach("Lock", handle));
  }

  /**
   * Acquires the lock, blocking the isolate while another holds it.
   *
   * @returns false if the timeout has passed
   * @throws RangeError for a negative timeout other than -1 (no timeout), and for a timeout without
   *   blocking
   */
  acquire(options: AcquireOptions = {}): boolean {
    return this.permits.acquire(lockDeadline(options));
  }

  /**
   * Acquires the lock without blocking the isolate.
   *
   * @returns false if the timeout has passed
   * @throws RangeError for a negative timeout other than -1; the reason of an aborted signal
   */
  async acquireAsync({ timeout, signal }: AsyncOptions = {}): Promise<boolean> {
    return await this.permits.acquireAsync(lockDeadline({ timeout }), signal);
  }

  /** Releases the lock, to the first waiter if there is one. @throws Error if it is unlocked */
  release(): void {
    try {
      this.permits.release(1, 1);
    } catch (error) {
      throw error instanceof TooManyPermits ? new Error("can't release an unlocked lock") : error;
    }
  }

  /**
   * Returns whether a {@link Condition} may release the lock: if it is locked, since a Lock has no owner.
   */
  isOwned(): boolean {
    return this.locked();
  }

  /** Releases the lock for a {@link Condition}. @returns how often it was acquired */
  releaseSave(): number {
    this.release();
    return 1;
  }

  /** Undoes {@link releaseSave}. */
  acquireRestore(_depth: number): void {
    this.permits.acquire(Infinity);
  }

  /** Undoes {@link releaseSave} without blocking the isolate. */
  async acquireRestoreAsync(_depth: number): Promise<void> {
    await this.permits.acquireAsync(Infinity);
  }
}
