/**
 * A condition variable, as Python's `threading.Condition`.
 *
 * Its memory is that of a Monitor with one queue. The lock has a handle of its own; several conditions may
 * share a lock.
 *
 * A wait: join the queue (holding the lock) -> release the lock completely -> sleep -> settle:
 * notified or not -> acquire the lock in its FIFO order, as deep as before -> return. Only the
 * holder of the lock joins and notifies, so no notification can fall between a check and a wait.
 *
 * Invariants: a notification goes to the longest waiting agent, whose wait then returns true; there
 * are no spurious wakeups. Agents that are notified together acquire the lock in the order in which
 * they wake. A wait that timed out leaves the queue before it acquires the lock, so it takes no
 * notification.
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

/** The handle of a condition and of its lock. */
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
   * @param lock must be held to wait and to notify; default: an RLock of its own
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

  /**
   * Returns the same condition and lock for another isolate. @throws TypeError for another handle
   */
  static attach(handle: ConditionHandle): Condition {
    const monitor = Monitor.attach(shape, handle);
    return new Condition(lockOf(handle.lock), {}, monitor);
  }

  get handle(): ConditionHandle {
    return { ...this.#monitor.handle, lock: this.lock.handle };
  }

  /** Acquires the lock, as {@link Lock.acquire} does. */
  acquire(options?: AcquireOptions): boolean {
    return this.lock.acquire(options);
  }

  /** Acquires the lock, as {@link Lock.acquireAsync} does. */
  async acquireAsync(options?: AsyncOptions): Promise<boolean> {
    return await this.lock.acquireAsync(options);
  }

  /** Releases the lock. @throws Error if it is not held */
  release(): void {
    this.lock.release();
  }

  /** Returns whether the lock is held. */
  locked(): boolean {
    return this.lock.locked();
  }

  /** Acquires the lock until the end of the block. */
  hold(): Disposable {
    return this.lock.hold();
  }

  /**
   * Acquires the lock until the end of the block, without blocking the isolate.
   *
   * @throws the reason of an aborted signal
   */
  async holdAsync(options?: Pick<AsyncOptions, "signal">): Promise<Disposable> {
    return await this.lock.holdAsync(options);
  }

  /**
   * Releases the lock, blocks the isolate until notified, and acquires the lock.
   *
   * @returns false if the timeout passed without a notification
   * @throws Error if the lock is not held; RangeError for a negative timeout
   */
  wait({ timeout }: WaitOptions = {}): boolean {
    return this.#wait(deadline(timeout));
  }

  /**
   * Releases the lock, waits for a notification without blocking the isolate, and acquires the
   * lock, also after a timeout or an abort.
   *
   * @returns false if the timeout passed without a notification
   * @throws as {@link wait}; the reason of an aborted signal
   */
  async waitAsync({ timeout, signal }: AsyncOptions = {}): Promise<boolean> {
    return await this.#waitAsync(deadline(timeout), signal);
  }

  /**
   * Blocks the isolate until a predicate holds.
   *
   * @param predicate called first and after each notification, with the lock held
   * @returns its last value: falsy if the timeout has passed
   * @throws as {@link wait}; the predicate's error
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

  /**
   * Waits until a predicate holds, like {@link waitFor}, without blocking the isolate.
   *
   * @throws as {@link waitFor}; the reason of an aborted signal
   */
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
   * Wakes the agents that have waited longest; they continue once they have the lock.
   *
   * @param n the largest number to wake
   * @throws Error if the lock is not held; RangeError if `n` is no count
   */
  notify(n = 1): void {
    count(n, "the number to notify", 0);
    this.#assertHeld("notify");
    if (this.#monitor.isEmpty(queue)) return;
    this.#monitor.run(() => {
      for (let left = n; left > 0 && this.#monitor.grant(queue); left--);
    });
  }

  /** Wakes all waiting agents. @throws Error if the lock is not held */
  notifyAll(): void {
    this.notify(0x7fffffff);
  }

  #wait(until: number): boolean {
    const [slot, depth] = this.#joinAndRelease();
    try {
      return this.#monitor.wait(queue, slot, until);
    } finally {
      this.lock.acquireRestore(depth);
    }
  }

  async #waitAsync(until: number, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    const [slot, depth] = this.#joinAndRelease();
    try {
      return await this.#monitor.waitAsync(queue, slot, until, signal);
    } finally {
      await this.lock.acquireRestoreAsync(depth);
    }
  }

  #joinAndRelease(): [slot: number, depth: number] {
    this.#assertHeld("wait");
    const slot = this.#monitor.run(() => this.#monitor.join(queue));
    return [slot, this.lock.releaseSave()];
  }

  #assertHeld(verb: string): void {
    if (!this.lock.isOwned()) throw new Error(`can't ${verb} without holding the lock`);
  }
}

function lockOf(handle: Handle<"Lock"> | Handle<"RLock">): Lock | RLock {
  return handle?.kind === "Lock" ? Lock.attach(handle) : RLock.attach(handle);
}
