/**
 * What all queues share: items in shared memory, bounded in number and bytes; who puts, who gets and
 * who joins waits in a FIFO queue each. The memory is in queue_memory.ts.
 *
 * Invariants:
 * - Getters wait only while every item is promised (COUNT <= TAKEN), putters only while the first of
 *   them does not fit. So who comes later never takes what is owed to somebody who waits.
 * - A promise is for an item, not for a certain one: the getter takes what is first when it wakes.
 * - Putters are admitted in their order; one with a big item holds up those behind it. One that
 *   leaves lets the next one in, if that fits.
 * - A getter that was promised an item gets it, though its time ran out meanwhile, unless the queue
 *   is shut down at once; a promised putter loses to any shutdown, as in CPython.
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
  /** False: only look; the timeout is ignored then. Default true. */
  readonly block?: boolean;
}

/** How a kind of queue orders its items. */
export interface Order {
  /** Adds an item, known by its first block, to the `count` that there are. */
  add(store: Store, first: number, count: number): void;
  /** Takes the item out of `count` whose turn it is. @returns its first block */
  take(store: Store, count: number): number;
}

const getters = 0;
const putters = 1;
const joiners = 2;

/** What a waiter is handed: what it waits for; or the queue's end. */
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

  /** How many items there may be; 0 or less: any number. */
  get maxsize(): number {
    return this.#get(MAXSIZE);
  }

  /** Changes the bound; items that are over it stay. @throws RangeError where it is no integer */
  set maxsize(maxsize: number) {
    checkSize(maxsize);
    this.#monitor.run(() => {
      this.#set(MAXSIZE, maxsize);
      this.#admit();
    });
  }

  /** How many items there are right now. */
  qsize(): number {
    return this.#get(COUNT);
  }

  empty(): boolean {
    return this.qsize() === 0;
  }

  /** Are there as many items as there may be? A queue can lack the bytes for an item before that. */
  full(): boolean {
    return this.maxsize > 0 && this.qsize() >= this.maxsize;
  }

  /** How many items were put, and not yet reported by {@link taskDone}. */
  get unfinishedTasks(): number {
    return this.#get(UNFINISHED);
  }

  get isShutdown(): boolean {
    return this.#get(SHUT) === 1;
  }

  /**
   * Puts an item in, blocking the isolate until there is room.
   *
   * @throws Full when there is none in time; ShutDown; RangeError for a negative timeout, or an item
   *   that would not fit if the queue were empty; DOMException (DataCloneError) for one that can't
   *   be cloned
   */
  put(item: T, { block = true, timeout }: BlockOptions = {}): void {
    this.putParcel(this.parcel(item), block ? deadline(timeout) : -Infinity);
  }

  /** As {@link put}, without blocking. @throws the signal's reason, too, when it is aborted */
  async putAsync(item: T, { timeout, signal }: AsyncOptions = {}): Promise<void> {
    await this.putParcelAsync(this.parcel(item), deadline(timeout), signal);
  }

  /** Puts an item in, if there is room now. @throws as {@link put} */
  putNowait(item: T): void {
    this.put(item, { block: false });
  }

  /**
   * Takes an item out, blocking the isolate until there is one.
   *
   * @throws Empty when there is none in time; ShutDown; RangeError for a negative timeout
   */
  get({ block = true, timeout }: BlockOptions = {}): T {
    const until = block ? deadline(timeout) : -Infinity;
    const found = this.#tryGet(until);
    if (typeof found !== "number") return decode(found) as T;
    this.#monitor.park(found, until);
    return decode(this.#endGet(found)) as T;
  }

  /** As {@link get}, without blocking. @throws the signal's reason, too, when it is aborted */
  async getAsync({ timeout, signal }: AsyncOptions = {}): Promise<T> {
    const until = deadline(timeout);
    signal?.throwIfAborted();
    const found = this.#tryGet(until);
    if (typeof found !== "number") return decode(found) as T;
    await this.#monitor.parkAsync(getters, found, until, signal);
    return decode(this.#endGet(found, signal)) as T;
  }

  /** Takes an item out, if there is one now. @throws as {@link get} */
  getNowait(): T {
    return this.get({ block: false });
  }

  /** Reports that the work on an item is done. @throws RangeError where no item is unfinished */
  taskDone(): void {
    this.#monitor.run(() => {
      if (this.#get(UNFINISHED) === 0) throw new RangeError("taskDone() called too often");
      this.#add(UNFINISHED, -1);
      this.#joined();
    });
  }

  /**
   * Blocks the isolate until all items that were put have been reported as done.
   *
   * @returns false when the timeout has passed
   * @throws RangeError for a negative timeout
   */
  join({ timeout }: WaitOptions = {}): boolean {
    const until = deadline(timeout);
    const slot = this.#tryJoin();
    if (slot === 0) return true;
    this.#monitor.park(slot, until);
    return this.#monitor.settle(joiners, slot);
  }

  /** As {@link join}, without blocking. @throws the signal's reason, too, when it is aborted */
  async joinAsync({ timeout, signal }: AsyncOptions = {}): Promise<boolean> {
    const until = deadline(timeout);
    signal?.throwIfAborted();
    const slot = this.#tryJoin();
    if (slot === 0) return true;
    await this.#monitor.parkAsync(joiners, slot, until, signal);
    const granted = this.#monitor.settle(joiners, slot);
    if (!granted) signal?.throwIfAborted();
    return granted;
  }

  /**
   * Ends the queue: nothing more goes in, and who waits to put, or for more items than there are,
   * gets a ShutDown.
   *
   * @param immediate throw away what is in it, and count it as done
   */
  shutdown(immediate = false): void {
    this.#monitor.run(() => {
      this.#set(SHUT, 1);
      if (immediate) {
        while (this.#get(COUNT) > 0) {
          this.#store.drop(this.#takeFirst());
          this.#add(UNFINISHED, this.#get(UNFINISHED) > 0 ? -1 : 0);
        }
        this.#joined();
      }
      while (this.#monitor.grant(getters, closed));
      while (this.#monitor.grant(putters, closed));
    });
  }

  /** An item as it is put. */
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

  /** @returns a slot to wait at; 0: it is done */
  #tryPut(parcel: Parcel, until: number): number {
    const blocks = Store.blocks(parcel);
    if (blocks > this.#store.size) {
      const [needs, has] = [blocks, this.#store.size].map((n) => n * blockBytes);
      throw new RangeError(`the item takes ${needs} bytes, and the queue has ${has}: see {bytes}`);
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

  /** @returns an item; or a slot to wait at */
  #tryGet(until: number): Uint8Array | number {
    return this.#monitor.run(() => {
      if (this.#get(COUNT) > this.#get(TAKEN)) return this.#removeFirst();
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
        if (this.#get(COUNT) > 0) return this.#removeFirst();
      }
      if (this.isShutdown) throw new ShutDown("the queue was shut down");
      signal?.throwIfAborted();
      throw new Empty("the queue stayed empty");
    });
  }

  #tryJoin(): number {
    return this.#monitor.run(() => this.#get(UNFINISHED) === 0 ? 0 : this.#monitor.join(joiners));
  }

  #joined(): void {
    if (this.#get(UNFINISHED) > 0) return;
    while (this.#monitor.grant(joiners));
  }

  #addLast(parcel: Parcel): void {
    const number = this.#get(NUMBER);
    const first = this.#store.add(parcel, number);
    this.#order.add(this.#store, first, this.#get(COUNT));
    this.#set(NUMBER, number + 1); // wraps around
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
    const count = this.#get(COUNT);
    this.#set(COUNT, count - 1);
    return this.#order.take(this.#store, count);
  }

  /** Lets putters in, as far as they fit. */
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
    if (maxsize > 0 && this.#get(COUNT) + this.#get(COMING) >= maxsize) return false;
    return this.#store.left - this.#get(RESERVED) >= blocks;
  }

  #get(word: number): number {
    return Atomics.load(this.#monitor.words, this.#monitor.state + word);
  }

  #set(word: number, value: number): void {
    Atomics.store(this.#monitor.words, this.#monitor.state + word, value);
  }

  #add(word: number, n: number): void {
    this.#set(word, this.#get(word) + n);
  }
}
