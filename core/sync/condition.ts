/**
 * A place to wait, inside a lock, for something to change, as Python's `threading.Condition`.
 *
 * Memory: that of a Monitor with one queue, and beside it the lock's own handle; several conditions
 * may share a lock.
 *
 * A wait: join the queue (holding the lock) -> release the lock wholly -> sleep -> settle: notified
 * or not -> take the lock again, in its FIFO order, as deep as before -> return. Joining and
 * notifying are both done by the lock's holder, so no notice falls between a look and a wait.
 *
 * Invariants: a notice goes to one that waits at that time, in the order of their coming, and counts
 * for one that will return true; no wait ends by itself. Those notified together have the lock again
 * in the order in which they wake. One that timed out has left before it takes
 * the lock again, so no notice is spent on it.
 */
import type { Handle } from "./handle.ts";
import { Lock } from "./lock.ts";
import { Monitor } from "./monitor.ts";
import {
  type AcquireOptions,
  type AsyncOptions,
  count,
  deadline,
  type RoomOptions,
  type WaitOptions,
} from "./options.ts";
import { RLock } from "./rlock.ts";

const shape = { kind: "Condition", queues: 1, state: 0 } as const;
const queue = 0;

/** A condition on its way to another isolate, with its lock. */
export interface ConditionHandle extends Handle<"Condition"> {
  readonly lock: Handle<"Lock"> | Handle<"RLock">;
}

/**
 * @example
 * ```ts
 * import { Condition } from "./mod.ts";
 * const changed = new Condition();
 * let ready = false;
 * const waiting = (async () => {
 *   using _ = await changed.holdAsync();
 *   return await changed.waitForAsync(() => ready);
 * })();
 * {
 *   using _ = await changed.holdAsync();
 *   ready = true;
 *   changed.notifyAll();
 * }
 * if (!await waiting) throw new Error("it was notified");
 * ```
 */
export class Condition {
  readonly lock: Lock | RLock;
  readonly #monitor: Monitor<"Condition">;

  /**
   * @param lock what must be held to wait and to notify; by default an RLock of its own
   * @param monitor only for {@link attach}
   */
  constructor(
    lock: Lock | RLock = new RLock(),
    options: RoomOptions = {},
    monitor: Monitor<"Condition"> = Monitor.make(shape, options.waiters),
  ) {
    this.lock = lock;
    this.#monitor = monitor;
  }

  /** The same condition and lock, in another isolate. @throws TypeError for another handle */
  static attach(handle: ConditionHandle): Condition {
    const monitor = Monitor.attach(shape, handle);
    return new Condition(lockOf(handle.lock), {}, monitor);
  }

  get handle(): ConditionHandle {
    return { ...this.#monitor.handle, lock: this.lock.handle };
  }

  /** Takes the lock: see {@link Lock.acquire}. */
  acquire(options?: AcquireOptions): boolean {
    return this.lock.acquire(options);
  }

  /** Takes the lock: see {@link Lock.acquireAsync}. */
  async acquireAsync(options?: AsyncOptions): Promise<boolean> {
    return await this.lock.acquireAsync(options);
  }

  /** Gives the lock back. @throws Error where it is not held */
  release(): void {
    this.lock.release();
  }

  /** Does somebody have the lock? */
  locked(): boolean {
    return this.lock.locked();
  }

  /** Takes the lock until the end of the block. */
  hold(): Disposable {
    return this.lock.hold();
  }

  /** As {@link hold}, without blocking. @throws the signal's reason, when it is aborted */
  async holdAsync(options?: Pick<AsyncOptions, "signal">): Promise<Disposable> {
    return await this.lock.holdAsync(options);
  }

  /**
   * Releases the lock, blocks the isolate until notified, and takes the lock again.
   *
   * @returns false when the timeout passed without a notice
   * @throws Error where the lock is not held; RangeError for a negative timeout
   */
  wait({ timeout }: WaitOptions = {}): boolean {
    return this.#wait(deadline(timeout));
  }

  /**
   * Releases the lock, waits for a notice without blocking the isolate, and takes the lock again,
   * also when the timeout has passed or the signal was aborted.
   *
   * @returns false when the timeout passed without a notice
   * @throws as {@link wait}; the signal's reason, when it is aborted
   */
  async waitAsync({ timeout, signal }: AsyncOptions = {}): Promise<boolean> {
    return await this.#waitAsync(deadline(timeout), signal);
  }

  /**
   * Waits, blocking, until a predicate holds; it is asked first, and after each notice.
   *
   * @param predicate called with the lock held
   * @returns its last value: falsy when the timeout has passed
   * @throws as {@link wait}; what the predicate throws
   */
  waitFor<T>(predicate: () => T, { timeout }: WaitOptions = {}): T {
    const until = deadline(timeout);
    let result = predicate();
    for (let over = false; !result && !over; result = predicate()) {
      this.#wait(until);
      over = performance.now() >= until;
    }
    return result;
  }

  /** As {@link waitFor}, without blocking. @throws the signal's reason, when it is aborted */
  async waitForAsync<T>(predicate: () => T, options: AsyncOptions = {}): Promise<T> {
    const until = deadline(options.timeout);
    let result = predicate();
    for (let over = false; !result && !over; result = predicate()) {
      await this.#waitAsync(until, options.signal);
      over = performance.now() >= until;
    }
    return result;
  }

  /**
   * Lets those go on who have waited longest, once they have the lock.
   *
   * @param n how many at most
   * @throws Error where the lock is not held; RangeError where `n` is no count
   */
  notify(n = 1): void {
    count(n, "the number to notify", 0);
    this.#owned("notify");
    if (this.#monitor.isEmpty(queue)) return;
    this.#monitor.run(() => {
      for (let left = n; left > 0 && this.#monitor.grant(queue); left--);
    });
  }

  /** Lets all go on who wait. @throws Error where the lock is not held */
  notifyAll(): void {
    this.notify(0x7fffffff);
  }

  #wait(until: number): boolean {
    const [slot, depth] = this.#leaveLock();
    try {
      this.#monitor.park(slot, until);
      return this.#monitor.settle(queue, slot);
    } finally {
      this.lock.acquireRestore(depth);
    }
  }

  async #waitAsync(until: number, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    const [slot, depth] = this.#leaveLock();
    try {
      await this.#monitor.parkAsync(queue, slot, until, signal);
      const granted = this.#monitor.settle(queue, slot);
      if (!granted) signal?.throwIfAborted();
      return granted;
    } finally {
      await this.lock.acquireRestoreAsync(depth);
    }
  }

  #leaveLock(): [slot: number, depth: number] {
    this.#owned("wait");
    const slot = this.#monitor.run(() => this.#monitor.join(queue));
    return [slot, this.lock.releaseSave()];
  }

  #owned(verb: string): void {
    if (!this.lock.isOwned()) throw new Error(`can't ${verb} without holding the lock`);
  }
}

function lockOf(handle: Handle<"Lock"> | Handle<"RLock">): Lock | RLock {
  return handle?.kind === "Lock" ? Lock.attach(handle) : RLock.attach(handle);
}
