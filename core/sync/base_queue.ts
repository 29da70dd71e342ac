/**
 * The base of all queues: items in shared memory, bounded in number and bytes. Getters, putters and
 * joiners wait in a FIFO queue each. queue_memory.ts describes the memory.
 *
 * Invariants:
 * - Getters wait only while every item is promised (COUNT <= TAKEN). Putters wait only while the item
 *   of the first putter does not fit. So no later caller takes an item or space promised to a waiter.
 * - A promise is for any item: the getter takes the first one when it wakes.
 * - Putters are admitted in their order; a large item delays those behind it. A putter that leaves
 *   admits the next one, if its item fits.
 * - A getter that was promised an item gets it even if its timeout has passed, unless the queue was
 *   shut down immediately. A putter that was promised a place loses it to any shutdown, as in
 *   CPython.
 */
import { Empty, Full, ShutDown } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { decode, encode } from "./item.ts";
import type { Monitor } from "./monitor.ts";
import { type AsyncOptions, deadline, type WaitOptions } from "./options.ts";
import {
  checkSize,
  COMING,
  COUNT,
  MAXSIZE,
  NUMBER,
  ownState,
  type QueueKind,
  RESERVED,
  SHUT,
  TAKEN,
  UNFINISHED,
} from "./queue_memory.ts";
import { blockBytes, type Parcel, Store } from "./store.ts";

export interface BlockOptions extends WaitOptions {
  /** False: do not wait, and ignore the timeout. Default true. */
  readonly block?: boolean;
}

/** The order of a queue's items. */
export interface Order {
  /** Adds an item to `count` others. @param first its first block */
  add(store: Store, first: number, count: number): void;
  /** Removes the next of `count` items. @returns its first block */
  take(store: Store, count: number): number;
}

const getters = 0;
const putters = 1;
const joiners = 2;

/** The words that a waiter can get with its grant. */
const promised = 1;
const closed = 2;

const noKey = new Uint8Array(0);

export abstract class BaseQueue<T, K extends QueueKind> {
  readonly #monitor: Monitor<K>;
  readonly #store: Store;
  readonly #order: Order;

  protected constructor(monitor: Monitor<K>, order: Order) {
    this.#monitor = monitor;
    this.#store = new Store(monitor.words, monitor.state + ownState, monitor.rest);
    this.#order = order;
  }

  get handle(): Handle<K> {
    return this.#monitor.handle;
  }

  /** The largest number of items; 0 or less: any number. */
  get maxsize(): number {
    return this.#monitor.get(MAXSIZE);
  }

  /** Changes the bound; items beyond it stay. @throws RangeError if it is no integer */
  set maxsize(maxsize: number) {
    checkSize(maxsize);
    this.#monitor.run(() => {
      this.#monitor.set(MAXSIZE, maxsize);
      this.#admit();
    });
  }

  /** Returns the current number of items. */
  qsize(): number {
    return this.#monitor.get(COUNT);
  }

  empty(): boolean {
    return this.qsize() === 0;
  }

  /** Returns whether `maxsize` is reached. The memory for an item may run out before that. */
  full(): boolean {
    return this.maxsize > 0 && this.qsize() >= this.maxsize;
  }

  /** Number of items that were put and not yet reported by {@link taskDone}. */
  get unfinishedTasks(): number {
    return this.#monitor.get(UNFINISHED);
  }

  get isShutdown(): boolean {
    return this.#monitor.get(SHUT) === 1;
  }

  /**
   * Puts an item into the queue, blocking the isolate until there is space.
   *
   * @throws Full after the timeout; ShutDown; RangeError for a negative timeout, or an item larger
   *   than the whole queue; DOMException (DataCloneError) for an item that can't be cloned
   */
  put(item: T, { block = true, timeout }: BlockOptions = {}): void {
    this.putParcel(this.parcel(item), block ? deadline(timeout) : -Infinity);
  }

  /**
   * Puts an item into the queue, like {@link put}, without blocking the isolate.
   *
   * @throws as {@link put}; the reason of an aborted signal
   */
  async putAsync(item: T, { timeout, signal }: AsyncOptions = {}): Promise<void> {
    await this.putParcelAsync(this.parcel(item), deadline(timeout), signal);
  }

  /** Puts an item into the queue if there is space now. @throws as {@link put} */
  putNowait(item: T): void {
    this.put(item, { block: false });
  }

  /**
   * Takes an item from the queue, blocking the isolate until there is one.
   *
   * @throws Empty after the timeout; ShutDown; RangeError for a negative timeout
   */
  get({ block = true, timeout }: BlockOptions = {}): T {
    const until = block ? deadline(timeout) : -Infinity;
    const taken = this.#tryGet(until);
    if (typeof taken !== "number") return decode(taken) as T;
    this.#monitor.park(taken, until);
    return decode(this.#endGet(taken)) as T;
  }

  /**
   * Takes an item from the queue, like {@link get}, without blocking the isolate.
   *
   * @throws as {@link get}; the reason of an aborted signal
   */
  async getAsync({ timeout, signal }: AsyncOptions = {}): Promise<T> {
    const until = deadline(timeout);
    signal?.throwIfAborted();
    const taken = this.#tryGet(until);
    if (typeof taken !== "number") return decode(taken) as T;
    await this.#monitor.parkAsync(getters, taken, until, signal);
    return decode(this.#endGet(taken, signal)) as T;
  }

  /** Takes an item from the queue if there is one now. @throws as {@link get} */
  getNowait(): T {
    return this.get({ block: false });
  }

  /** Reports that the work on an item is done. @throws RangeError if no item is unfinished */
  taskDone(): void {
    this.#monitor.run(() => {
      if (this.#monitor.get(UNFINISHED) === 0) throw new RangeError("taskDone() called too often");
      this.#add(UNFINISHED, -1);
      this.#releaseJoiners();
    });
  }

  /**
   * Blocks the isolate until all items are reported as done.
   *
   * @returns false if the timeout has passed
   * @throws RangeError for a negative timeout
   */
  join({ timeout }: WaitOptions = {}): boolean {
    const until = deadline(timeout);
    return this.#monitor.wait(joiners, this.#tryJoin(), until);
  }

  /**
   * Waits until all items are reported as done, like {@link join}, without blocking the isolate.
   *
   * @throws as {@link join}; the reason of an aborted signal
   */
  async joinAsync({ timeout, signal }: AsyncOptions = {}): Promise<boolean> {
    const until = deadline(timeout);
    signal?.throwIfAborted();
    return await this.#monitor.waitAsync(joiners, this.#tryJoin(), until, signal);
  }

  /**
   * Ends the queue: it accepts no more items. Putters that wait, and getters without an item, get a
   * ShutDown.
   *
   * @param immediate drops the items in the queue and counts them as done
   */
  shutdown(immediate = false): void {
    this.#monitor.run(() => {
      this.#monitor.set(SHUT, 1);
      if (immediate) {
        while (this.#monitor.get(COUNT) > 0) {
          this.#store.drop(this.#takeFirst());
          this.#add(UNFINISHED, this.#monitor.get(UNFINISHED) > 0 ? -1 : 0);
        }
        this.#releaseJoiners();
      }
      while (this.#monitor.grant(getters, closed));
      while (this.#monitor.grant(putters, closed));
    });
  }

  /** Returns an item as bytes. */
  protected parcel(item: T): Parcel {
    return { key: noKey, item: encode(item) };
  }

  protected putParcel(parcel: Parcel, until: number): void {
    const slot = this.#tryPut(parcel, until);
    if (slot === 0) return;
    this.#monitor.park(slot, until);
    this.#endPut(slot, parcel);
  }

  protected async putParcelAsync(
    parcel: Parcel,
    until: number,
    signal?: AbortSignal,
  ): Promise<void> {
    signal?.throwIfAborted();
    const slot = this.#tryPut(parcel, until);
    if (slot === 0) return;
    await this.#monitor.parkAsync(putters, slot, until, signal, () => this.#admit());
    this.#endPut(slot, parcel, signal);
  }

  /** @returns a slot to wait at; 0: the item is in the queue */
  #tryPut(parcel: Parcel, until: number): number {
    const blocks = Store.blocks(parcel);
    if (blocks > this.#store.size) {
      const [needs, has] = [blocks, this.#store.size].map((n) => n * blockBytes);
      throw new RangeError(
        `the item takes ${needs} bytes, and the queue has ${has}: raise its option \`bytes\``,
      );
    }
    return this.#monitor.run(() => {
      if (this.isShutdown) throw new ShutDown("the queue was shut down");
      if (this.#monitor.isEmpty(putters) && this.#fits(blocks)) {
        this.#addLast(parcel);
        return 0;
      }
      if (performance.now() >= until) throw new Full("the queue is full");
      return this.#monitor.join(putters, blocks);
    });
  }

  #endPut(slot: number, parcel: Parcel, signal?: AbortSignal): void {
    this.#monitor.run(() => {
      const outcome = this.#monitor.isGranted(slot) ? this.#monitor.value(slot) : 0;
      this.#monitor.leave(putters, slot);
      if (outcome === promised) {
        this.#add(COMING, -1);
        this.#add(RESERVED, -Store.blocks(parcel));
      }
      if (this.isShutdown) throw new ShutDown("the queue was shut down");
      if (outcome === promised) return this.#addLast(parcel);
      this.#admit();
      signal?.throwIfAborted();
      throw new Full("the queue stayed full");
    });
  }

  /** @returns an item, or a slot to wait at */
  #tryGet(until: number): Uint8Array | number {
    return this.#monitor.run(() => {
      if (this.#monitor.get(COUNT) > this.#monitor.get(TAKEN)) return this.#removeFirst();
      if (this.isShutdown) throw new ShutDown("the queue was shut down");
      if (performance.now() >= until) throw new Empty("the queue is empty");
      return this.#monitor.join(getters);
    });
  }

  #endGet(slot: number, signal?: AbortSignal): Uint8Array {
    return this.#monitor.run(() => {
      const outcome = this.#monitor.isGranted(slot) ? this.#monitor.value(slot) : 0;
      this.#monitor.leave(getters, slot);
      if (outcome === promised) {
        this.#add(TAKEN, -1);
        if (this.#monitor.get(COUNT) > 0) return this.#removeFirst();
      }
      if (this.isShutdown) throw new ShutDown("the queue was shut down");
      signal?.throwIfAborted();
      throw new Empty("the queue stayed empty");
    });
  }

  #tryJoin(): number {
    return this.#monitor.run(() =>
      this.#monitor.get(UNFINISHED) === 0 ? 0 : this.#monitor.join(joiners)
    );
  }

  #releaseJoiners(): void {
    if (this.#monitor.get(UNFINISHED) > 0) return;
    while (this.#monitor.grant(joiners));
  }

  #addLast(parcel: Parcel): void {
    const number = this.#monitor.get(NUMBER);
    const first = this.#store.add(parcel, number);
    this.#order.add(this.#store, first, this.#monitor.get(COUNT));
    this.#monitor.set(NUMBER, number + 1); // wraps around
    this.#add(COUNT, 1);
    this.#add(UNFINISHED, 1);
    if (this.#monitor.grant(getters, promised)) this.#add(TAKEN, 1);
  }

  #removeFirst(): Uint8Array {
    const item = this.#store.remove(this.#takeFirst());
    this.#admit();
    return item;
  }

  #takeFirst(): number {
    const count = this.#monitor.get(COUNT);
    this.#monitor.set(COUNT, count - 1);
    return this.#order.take(this.#store, count);
  }

  /** Admits putters while their items fit. */
  #admit(): void {
    for (let slot; (slot = this.#monitor.head(putters)) !== 0;) {
      const blocks = this.#monitor.value(slot);
      if (!this.#fits(blocks)) return;
      this.#add(COMING, 1);
      this.#add(RESERVED, blocks);
      this.#monitor.grant(putters, promised);
    }
  }

  #fits(blocks: number): boolean {
    const { maxsize } = this;
    if (maxsize > 0 && this.#monitor.get(COUNT) + this.#monitor.get(COMING) >= maxsize) {
      return false;
    }
    return this.#store.left - this.#monitor.get(RESERVED) >= blocks;
  }

  #add(word: number, n: number): void {
    this.#monitor.set(word, this.#monitor.get(word) + n);
  }
}
