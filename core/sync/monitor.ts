/**
 * The base of every primitive: a mutex for its words, and FIFO queues of waiters. A waiter is
 * granted its turn by another agent, so it does not compete for it.
 *
 * The memory: the header (handle.ts), two words a queue (first slot, last slot; 0: none), the
 * primitive's own words, then the slots, four words each:
 *
 *     state   FREE 0, WAITING 1, GRANTED 2, LEFT 3; the waiter sleeps on this word
 *     next    the slot after it in its queue, or in the list of free ones
 *     prev    the slot before it
 *     value   a word from the joining agent, or from the granting one
 *
 * The states of a slot; each change is made under the mutex:
 *
 *     FREE --join--> WAITING --grant--> GRANTED --settle--> FREE
 *                       | '------ settle: a timeout ----------^
 *                       '---abort----> LEFT ------settle------^
 *
 * Invariants:
 * - A slot is in a queue if and only if it is WAITING; queues are in the order of joining.
 * - A grant removes the slot from its queue and is final. The waiter learns of the grant
 *   only from its slot, which it reads under the mutex, not from the end of its sleep. So a waiter
 *   whose timeout or abort coincides with a grant has been granted its turn, and a waiter that left
 *   has missed no grant. An abort takes effect immediately: later grants go to others.
 * - After each wakeup the waiter reads the state again, so a wakeup for the slot's former user is
 *   harmless.
 * - The mutex is held for some tens of instructions (queues: for the copy of an item), never during
 *   a wait or an `await`. Asynchronous methods block the isolate for that long, too.
 *
 * When an agent is terminated while it waits, its slot stays in its queue, and a grant to it is
 * lost (a lock stays held). A terminated waiter looks like a slow one, so let workers end by
 * themselves, or give up the primitive with them. When an agent is terminated inside the mutex, the
 * primitive is lost: other agents get an Error after ten seconds of waiting for the mutex.
 */
import {
  FREE,
  type Handle,
  headerWords,
  type Kind,
  MUTEX,
  open,
  USED,
  WAITERS,
  write,
} from "./handle.ts";
import { count } from "./options.ts";

/** The memory that a kind of primitive needs. */
export interface Shape<K extends Kind> {
  readonly kind: K;
  /** Number of queues. */
  readonly queues: number;
  /** Number of words of its own. */
  readonly state: number;
}

export const slotWords = 4;
const NEXT = 1;
const PREV = 2;
const VALUE = 3;

export const WAITING = 1;
const GRANTED = 2;
const LEFT = 3;

/** The default number of agents that can wait at once. */
export const defaultWaiters = 1024;

/** The time after which the holder of the mutex counts as terminated. */
const mutexTimeoutMs = 10_000;

/** The longest delay of a timer. */
const maxTimerMs = 0x7fffffff;

export class Monitor<K extends Kind = Kind> {
  readonly words: Int32Array;
  /** The first of the primitive's own words. */
  readonly state: number;
  /** The first word after the slots. */
  readonly rest: number;
  readonly handle: Handle<K>;
  readonly #slots: number;
  readonly #granted: number[] = [];

  private constructor({ kind, queues, state }: Shape<K>, memory: SharedArrayBuffer) {
    this.handle = Object.freeze({ kind, memory });
    this.words = new Int32Array(memory);
    this.state = headerWords + 2 * queues;
    this.#slots = this.state + state - slotWords; // slots count from 1
    this.rest = this.state + state + slotWords * this.words[WAITERS]!;
  }

  /**
   * Allocates memory.
   *
   * @param waiters how many agents can wait at once
   * @param rest number of further words, after the slots
   * @throws RangeError if `waiters` is not a count
   */
  static make<K extends Kind>(
    shape: Shape<K>,
    waiters: number = defaultWaiters,
    rest = 0,
  ): Monitor<K> {
    count(waiters, "waiters", 1);
    const words = headerWords + 2 * shape.queues + shape.state + slotWords * waiters + rest;
    const memory = new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT);
    write(new Int32Array(memory), shape.kind, waiters);
    return new Monitor(shape, memory);
  }

  /** Opens the memory of a handle. @throws TypeError if it is of another kind or size */
  static attach<K extends Kind>(shape: Shape<K>, handle: Handle<K>): Monitor<K> {
    return new Monitor(shape, open(handle, shape.kind));
  }

  /** Runs a short section under the mutex, then wakes the agents that were granted in it. */
  run<T>(section: () => T): T {
    this.#enter();
    try {
      return section();
    } finally {
      this.#exit();
    }
  }

  /** Returns one of the primitive's own words. */
  get(word: number): number {
    return Atomics.load(this.words, this.state + word);
  }

  /** Changes one of the primitive's own words. */
  set(word: number, value: number): void {
    Atomics.store(this.words, this.state + word, value);
  }

  /** Returns whether the queue has no waiters; reliable only inside {@link run}. */
  isEmpty(queue: number): boolean {
    return Atomics.load(this.words, first(queue)) === 0;
  }

  /** Returns the first slot of a queue; 0: none. */
  head(queue: number): number {
    return this.words[first(queue)]!;
  }

  /**
   * Joins a queue, inside {@link run}.
   *
   * @param value a word for the granting agent
   * @returns the slot to wait on, and then to settle
   * @throws RangeError if too many agents wait
   */
  join(queue: number, value = 0): number {
    const { words } = this;
    const slot = this.#take();
    const at = this.#at(slot);
    const last = words[first(queue) + 1]!;
    words[at + NEXT] = 0;
    words[at + PREV] = last;
    words[at + VALUE] = value;
    Atomics.store(words, at, WAITING);
    if (last === 0) Atomics.store(words, first(queue), slot);
    else words[this.#at(last) + NEXT] = slot;
    words[first(queue) + 1] = slot;
    return slot;
  }

  /**
   * Grants the first waiter of a queue its turn, inside {@link run}.
   *
   * @param value a word for the waiter
   * @returns false if no agent waits
   */
  grant(queue: number, value = 0): boolean {
    const slot = this.head(queue);
    if (slot === 0) return false;
    this.#unlink(queue, slot);
    this.words[this.#at(slot) + VALUE] = value;
    Atomics.store(this.words, this.#at(slot), GRANTED);
    this.#granted.push(slot);
    return true;
  }

  /** Returns the word of a slot. */
  value(slot: number): number {
    return this.words[this.#at(slot) + VALUE]!;
  }

  /** Returns whether the slot was granted; reliable only inside {@link run}. */
  isGranted(slot: number): boolean {
    return Atomics.load(this.words, this.#at(slot)) === GRANTED;
  }

  /** Returns whether the slot was neither granted nor aborted; reliable only inside {@link run}. */
  isWaiting(slot: number): boolean {
    return Atomics.load(this.words, this.#at(slot)) === WAITING;
  }

  /** Ends a wait, inside {@link run}: removes the slot from its queue and frees it. */
  leave(queue: number, slot: number): void {
    const at = this.#at(slot);
    if (this.words[at] === WAITING) this.#unlink(queue, slot);
    this.words[at + NEXT] = this.words[FREE]!;
    this.words[FREE] = slot;
    Atomics.store(this.words, at, 0);
  }

  /**
   * Ends a wait, granted or not.
   *
   * @param left called inside the section if the waiter leaves without its turn
   * @returns whether it was granted
   */
  settle(queue: number, slot: number, left?: () => void): boolean {
    return this.run(() => {
      const [granted, waiting] = [this.isGranted(slot), this.isWaiting(slot)];
      this.leave(queue, slot);
      if (waiting) left?.();
      return granted;
    });
  }

  /** Sleeps until the slot is granted or the deadline. @param until ms, or Infinity */
  park(slot: number, until: number): void {
    const at = this.#at(slot);
    while (Atomics.load(this.words, at) === WAITING) {
      const left = until - performance.now();
      if (left <= 0) return;
      Atomics.wait(this.words, at, WAITING, left);
    }
  }

  /**
   * Sleeps like {@link park}, without blocking the isolate. An aborted signal also ends the sleep, without
   * an error: the slot is then out of its queue, and `left` was called.
   *
   * Atomics.waitAsync does not keep an isolate alive, so a timer runs until the wait has ended,
   * also without a deadline.
   */
  async parkAsync(
    queue: number,
    slot: number,
    until: number,
    signal?: AbortSignal,
    left?: () => void,
  ): Promise<void> {
    const at = this.#at(slot);
    let over = false;
    const stop = () => {
      over = true;
      Atomics.notify(this.words, at); // no other waiter sleeps on this slot
    };
    const tick = () => {
      const rest = until - performance.now();
      if (rest <= 0) stop();
      timer = setTimeout(tick, rest > 0 ? Math.min(rest, maxTimerMs) : maxTimerMs);
    };
    const abort = () => {
      this.#withdraw(queue, slot, left);
      stop();
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    tick();
    signal?.addEventListener("abort", abort);
    try {
      while (!over && Atomics.load(this.words, at) === WAITING) {
        const sleep = Atomics.waitAsync(this.words, at, WAITING);
        if (sleep.async) await sleep.value;
      }
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * Waits, blocking the isolate, and settles.
   *
   * @param slot 0: there is nothing to wait for
   * @returns whether the slot was granted before the deadline, or was 0
   */
  wait(queue: number, slot: number, until: number, left?: () => void): boolean {
    if (slot === 0) return true;
    this.park(slot, until);
    return this.settle(queue, slot, left);
  }

  /**
   * Waits and settles like {@link wait}, without blocking the isolate.
   *
   * @throws the reason of an aborted signal
   */
  async waitAsync(
    queue: number,
    slot: number,
    until: number,
    signal?: AbortSignal,
    left?: () => void,
  ): Promise<boolean> {
    if (slot === 0) return true;
    await this.parkAsync(queue, slot, until, signal, left);
    const granted = this.settle(queue, slot, left);
    if (!granted) signal?.throwIfAborted();
    return granted;
  }

  #withdraw(queue: number, slot: number, left?: () => void): void {
    this.run(() => {
      if (!this.isWaiting(slot)) return;
      this.#unlink(queue, slot);
      Atomics.store(this.words, this.#at(slot), LEFT);
      left?.();
    });
  }

  #enter(): void {
    const { words } = this;
    if (Atomics.compareExchange(words, MUTEX, 0, 1) === 0) return;
    const until = performance.now() + mutexTimeoutMs;
    while (Atomics.exchange(words, MUTEX, 2) !== 0) {
      const left = until - performance.now();
      if (left <= 0) {
        throw new Error(
          `this ${this.handle.kind} can't be used again: an agent was terminated inside its mutex`,
        );
      }
      Atomics.wait(words, MUTEX, 2, left);
    }
  }

  #exit(): void {
    const { words } = this;
    const slept = Atomics.exchange(words, MUTEX, 0) === 2;
    if (slept) Atomics.notify(words, MUTEX, 1);
    for (const slot of this.#granted) Atomics.notify(words, this.#at(slot));
    this.#granted.length = 0;
  }

  #take(): number {
    const { words } = this;
    const slot = words[FREE]!;
    if (slot !== 0) {
      words[FREE] = words[this.#at(slot) + NEXT]!;
      return slot;
    }
    if (words[USED]! < words[WAITERS]!) return words[USED] = words[USED]! + 1;
    const { kind } = this.handle;
    throw new RangeError(
      `${words[WAITERS]} already wait at this ${kind}: create it with a larger option \`waiters\``,
    );
  }

  #unlink(queue: number, slot: number): void {
    const { words } = this;
    const next = words[this.#at(slot) + NEXT]!;
    const prev = words[this.#at(slot) + PREV]!;
    if (prev === 0) Atomics.store(words, first(queue), next);
    else words[this.#at(prev) + NEXT] = next;
    if (next === 0) words[first(queue) + 1] = prev;
    else words[this.#at(next) + PREV] = prev;
  }

  #at(slot: number): number {
    return this.#slots + slotWords * slot;
  }
}

/** Returns the word with a queue's first slot; the word after it has the last one. */
function first(queue: number): number {
  return headerWords + 2 * queue;
}
