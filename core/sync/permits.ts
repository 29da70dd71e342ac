/**
 * A number of permits, taken one by one, with a FIFO queue of those who wait for one: what locks and
 * semaphores are made of.
 *
 * One word, `free`: how many permits nobody has; or -1: none, and somebody waits.
 *
 * Invariants:
 * - -1 if and only if the queue is not empty, outside the monitor's sections. So a permit that is
 *   free is owed to nobody: it is taken, and given back, by one compare-and-exchange.
 * - From and to -1 the word goes only inside a section: a permit given back while somebody waits is
 *   handed to the first, and is never seen as free. Nobody is overtaken; nobody starves.
 */
import type { Handle, Kind } from "./handle.ts";
import { Monitor } from "./monitor.ts";

const queue = 0;
const queued = -1;

/** More permits came back than there are. */
export class TooMany extends Error {}

export class Permits<K extends Kind> {
  /** Where primitives that have more words than this one keep them. */
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

  /** @param free how many there are @param state how many words more the primitive wants */
  static make<K extends Kind>(kind: K, free: number, waiters?: number, state = 0): Permits<K> {
    const permits = new Permits(Monitor.make({ kind, queues: 1, state: 1 + state }, waiters));
    Atomics.store(permits.#words, permits.#free, free);
    return permits;
  }

  /** @throws TypeError where the handle is of another kind or size */
  static attach<K extends Kind>(kind: K, handle: Handle<K>, state = 0): Permits<K> {
    return new Permits(Monitor.attach({ kind, queues: 1, state: 1 + state }, handle));
  }

  get handle(): Handle<K> {
    return this.#monitor.handle;
  }

  get words(): Int32Array {
    return this.#words;
  }

  /** How many are free right now. */
  get free(): number {
    return Math.max(0, Atomics.load(this.#words, this.#free));
  }

  /** Takes one, blocking. @param until ms @returns false when the time has come */
  acquire(until: number): boolean {
    if (this.#take()) return true;
    if (performance.now() >= until) return false;
    const slot = this.#join();
    if (slot === 0) return true;
    this.#monitor.park(slot, until);
    return this.#settle(slot);
  }

  /** Takes one. @param until ms @returns false when the time has come @throws the signal's reason */
  async acquireAsync(until: number, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    if (this.#take()) return true;
    if (performance.now() >= until) return false;
    const slot = this.#join();
    if (slot === 0) return true;
    await this.#monitor.parkAsync(queue, slot, until, signal, () => this.#rest());
    const granted = this.#settle(slot);
    if (!granted) signal?.throwIfAborted();
    return granted;
  }

  /**
   * Gives some back.
   *
   * @param most how many may be free after it
   * @throws TooMany where there would be more; nothing is changed then
   */
  release(n: number, most: number): void {
    for (;;) {
      const free = Atomics.load(this.#words, this.#free);
      if (Math.max(0, free) + n > most) throw new TooMany();
      if (free === queued ? this.#hand(n) : this.#move(free, free + n)) return;
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

  /** @returns 0 where a permit was there after all */
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
      this.#rest();
      throw error;
    }
  }

  #settle(slot: number): boolean {
    return this.#monitor.settle(queue, slot, () => this.#rest());
  }

  /** @returns false where nobody waits any more */
  #hand(n: number): boolean {
    return this.#monitor.run(() => {
      if (Atomics.load(this.#words, this.#free) !== queued) return false;
      let left = n;
      while (left > 0 && this.#monitor.grant(queue)) left--;
      this.#rest(left);
      return true;
    });
  }

  /** Nobody waits any more: what is free may be seen again. */
  #rest(free = 0): void {
    if (this.#monitor.isEmpty(queue)) Atomics.store(this.#words, this.#free, free);
  }
}
