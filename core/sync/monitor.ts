/**
 * The ground that every primitive here stands on: a mutex for its words, and FIFO queues of waiters
 * whose turn is handed to them, never raced for.
 *
 * The memory: the header (handle.ts), two words a queue (first slot, last slot; 0: none), the
 * primitive's own words, then the slots, four words each:
 *
 *     state   FREE 0, WAITING 1, GRANTED 2, LEFT 3; its owner sleeps on this word
 *     next    the slot behind it in its queue, or in the list of free ones
 *     prev    the slot before it
 *     value   a word from the one who joined, or from the one who granted
 *
 * A slot's states, each change made under the mutex:
 *
 *     FREE --join--> WAITING --grant--> GRANTED --settle--> FREE
 *                       | '------ settle: the time is up -----^
 *                       '---abort----> LEFT ------settle------^
 *
 * Invariants:
 * - A slot is in a queue if and only if it is WAITING; queues are in the order of joining.
 * - Who grants takes the slot out of its queue and gives away, for good, what was waited for. Who
 *   waits learns of it from its slot, read under the mutex, and from nothing else: not from how the
 *   sleep ended. So a waiter that times out, or is aborted, just as it is granted, has been granted;
 *   and one that left was passed over by nobody and holds nothing. An abort takes effect at once: what
 *   is given away after it goes to others.
 * - Sleeping is only a way to wait for the state to change: each wake looks again, so that one meant
 *   for the slot's former owner does no harm.
 * - The mutex is held for some tens of instructions (queues: for the copy of an item), never while
 *   anything is waited for, and never across an `await`. An isolate that must not block does block
 *   for that long.
 *
 * What can go wrong: an agent is terminated. Waiting: its slot stays in its queue, and what is
 * granted to it is lost, as if it had died just after (a lock stays held). Nothing tells a dead
 * waiter from a slow one, so let workers end by themselves, or give up the primitive with them.
 * Inside the mutex, as is likely for one that was busy with the primitive: that is lost, and who
 * comes after is told so, by an Error, after ten seconds of waiting for the mutex.
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

/** What a kind of primitive needs of its memory. */
export interface Shape<K extends Kind> {
  readonly kind: K;
  /** How many queues. */
  readonly queues: number;
  /** How many words of its own. */
  readonly state: number;
}

const slotWords = 4;
const NEXT = 1;
const PREV = 2;
const VALUE = 3;

const WAITING = 1;
const GRANTED = 2;
const LEFT = 3;

/** How many may wait at once if nothing is said. */
export const defaultWaiters = 1024;

/** How long the mutex may be taken, in ms, before its holder counts as dead. */
const patience = 10_000;

/** The longest delay of a timer, in ms. */
const longest = 0x7fffffff;

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
   * Fresh memory.
   *
   * @param waiters how many may wait at once
   * @param rest how many words more, after the slots
   * @throws RangeError where `waiters` is not a count
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

  /** The memory of a handle. @throws TypeError where it is of another kind or size */
  static attach<K extends Kind>(shape: Shape<K>, handle: Handle<K>): Monitor<K> {
    return new Monitor(shape, open(handle, shape.kind));
  }

  /** Runs a short section alone; who was granted something in it is woken after it. */
  run<T>(section: () => T): T {
    this.#enter();
    try {
      return section();
    } finally {
      this.#exit();
    }
  }

  /** Has the queue no waiters? Sure only inside {@link run}. */
  isEmpty(queue: number): boolean {
    return Atomics.load(this.words, first(queue)) === 0;
  }

  /** The slot whose turn is next; 0: none. */
  head(queue: number): number {
    return this.words[first(queue)]!;
  }

  /**
   * Joins a queue, inside {@link run}.
   *
   * @param value a word for the one who will grant
   * @returns the slot to wait on, and then to settle
   * @throws RangeError where too many wait
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
   * Gives the first waiter of a queue its turn, inside {@link run}.
   *
   * @param value a word for it
   * @returns false where nobody waits
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

  /** The word that came with a slot. */
  value(slot: number): number {
    return this.words[this.#at(slot) + VALUE]!;
  }

  /** Was the slot granted? Sure only inside {@link run}. */
  isGranted(slot: number): boolean {
    return Atomics.load(this.words, this.#at(slot)) === GRANTED;
  }

  /** Was the slot neither granted nor aborted? Sure only inside {@link run}. */
  isWaiting(slot: number): boolean {
    return Atomics.load(this.words, this.#at(slot)) === WAITING;
  }

  /** Ends a wait, inside {@link run}: the slot is out of its queue, and free. */
  leave(queue: number, slot: number): void {
    const at = this.#at(slot);
    if (this.words[at] === WAITING) this.#unlink(queue, slot);
    this.words[at + NEXT] = this.words[FREE]!;
    this.words[FREE] = slot;
    Atomics.store(this.words, at, 0);
  }

  /**
   * Ends a wait, however it went.
   *
   * @param left what to put right, inside the section, when the waiter left without its turn
   * @returns was it granted?
   */
  settle(queue: number, slot: number, left?: () => void): boolean {
    return this.run(() => {
      const [granted, waiting] = [this.isGranted(slot), this.isWaiting(slot)];
      this.leave(queue, slot);
      if (waiting) left?.();
      return granted;
    });
  }

  /** Sleeps until the slot is granted or the time has come. @param until ms, or Infinity */
  park(slot: number, until: number): void {
    const at = this.#at(slot);
    while (Atomics.load(this.words, at) === WAITING) {
      const left = until - performance.now();
      if (left <= 0) return;
      Atomics.wait(this.words, at, WAITING, left);
    }
  }

  /**
   * As {@link park}, without blocking; also ends when the signal is aborted, and does not throw. The
   * slot is out of its queue then, and `left` has put right what that means.
   *
   * Atomics.waitAsync keeps no isolate alive, and a thread that waits does: hence a timer to the end,
   * also where there is no deadline, and after the deadline until the wake has come through.
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
      Atomics.notify(this.words, at); // only this waiter sleeps on its slot
    };
    const tick = () => {
      const rest = until - performance.now();
      if (rest <= 0) stop();
      timer = setTimeout(tick, rest > 0 ? Math.min(rest, longest) : longest);
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
    const until = performance.now() + patience;
    while (Atomics.exchange(words, MUTEX, 2) !== 0) {
      const left = until - performance.now();
      if (left <= 0) throw new Error(`this ${this.handle.kind} is lost: its last user died inside`);
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
      `${words[WAITERS]} wait at this ${kind} already: make it with more {waiters}`,
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

/** Where a queue's first slot is named; its last one is in the word after it. */
function first(queue: number): number {
  return headerWords + 2 * queue;
}
