/**
 * The base of locks and semaphores: a number of permits, and a FIFO queue of agents that wait for
 * one.
 *
 * One word, `free`: the number of free permits, or -1: none, and agents wait.
 *
 * Invariants:
 * - Outside the monitor's sections it is -1 if and only if the queue is not empty. A free permit is
 *   therefore promised to no waiter, and one compare-and-exchange acquires or releases it.
 * - The word changes from and to -1 only inside a section. A permit that is released while agents
 *   wait goes to the first one, and is never visible as free, so no waiter is overtaken or starves.
 */
import type { Handle, Kind } from "./handle.ts";
import { Monitor } from "./monitor.ts";

const queue = 0;
const queued = -1;

/** More permits were released than may be free. */
export class TooManyPermits extends Error {}

export class Permits<K extends Kind> {
  /** The index of the first word, after `free`, that the lock or semaphore built on this class has for itself. */
  readonly own: number;
  readonly #monitor: Monitor<K>;
  readonly #words: Int32Array;
  readonly #free: number;

  private constructor(monitor: Monitor<K>) {
    this.#monitor = monitor;
    this.#words = monitor.words;
    this.#free = monitor.state;
    this.own = monitor.state + 1;
  }

  /** @param free the initial number of permits @param state the number of words from {@link own} on */
  static make<K extends Kind>(kind: K, free: number, waiters?: number, state = 0): Permits<K> {
    const permits = new Permits(Monitor.make({ kind, queues: 1, state: 1 + state }, waiters));
    Atomics.store(permits.#words, permits.#free, free);
    return permits;
  }

  /** @throws TypeError if the handle is of another kind or size */
  static attach<K extends Kind>(kind: K, handle: Handle<K>, state = 0): Permits<K> {
    return new Permits(Monitor.attach({ kind, queues: 1, state: 1 + state }, handle));
  }

  get handle(): Handle<K> {
    return this.#monitor.handle;
  }

  get words(): Int32Array {
    return this.#words;
  }

  /** The current number of free permits. */
  get free(): number {
    return Math.max(0, Atomics.load(this.#words, this.#free));
  }

  /** Acquires a permit, blocking the isolate. @param until ms @returns false after that time */
  acquire(until: number): boolean {
    if (this.#take()) return true;
    if (performance.now() >= until) return false;
    return this.#monitor.wait(queue, this.#join(), until, () => this.#showFree());
  }

  /** Acquires a permit, without blocking the isolate. @throws the reason of an aborted signal */
  async acquireAsync(until: number, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    if (this.#take()) return true;
    if (performance.now() >= until) return false;
    const left = () => this.#showFree();
    return await this.#monitor.waitAsync(queue, this.#join(), until, signal, left);
  }

  /**
   * Releases permits.
   *
   * @param maxFree how many can be free afterwards
   * @throws TooManyPermits if more would be free; nothing changes then
   */
  release(n: number, maxFree: number): void {
    for (;;) {
      const free = Atomics.load(this.#words, this.#free);
      if (Math.max(0, free) + n > maxFree) throw new TooManyPermits();
      if (free === queued ? this.#grant(n) : this.#move(free, free + n)) return;
    }
  }

  #take(): boolean {
    for (;;) {
      const free = Atomics.load(this.#words, this.#free);
      if (free <= 0) return false;
      if (this.#move(free, free - 1)) return true;
    }
  }

  #move(from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, this.#free, from, to) === from;
  }

  /** Joins the queue, or takes a permit that became free meanwhile. @returns the slot to wait on, or 0 with a permit */
  #join(): number {
    return this.#monitor.run(() => {
      for (;;) {
        if (this.#take()) return 0;
        if (Atomics.load(this.#words, this.#free) === queued) return this.#monitor.join(queue);
        if (!this.#move(0, queued)) continue;
        return this.#joinFirst();
      }
    });
  }

  #joinFirst(): number {
    try {
      return this.#monitor.join(queue);
    } catch (error) {
      this.#showFree();
      throw error;
    }
  }

  /** Grants permits to waiters. @returns false if no agent waits any more */
  #grant(n: number): boolean {
    return this.#monitor.run(() => {
      if (Atomics.load(this.#words, this.#free) !== queued) return false;
      let left = n;
      while (left > 0 && this.#monitor.grant(queue)) left--;
      this.#showFree(left);
      return true;
    });
  }

  /** Makes free permits visible if no agent waits. */
  #showFree(free = 0): void {
    if (this.#monitor.isEmpty(queue)) Atomics.store(this.#words, this.#free, free);
  }
}
