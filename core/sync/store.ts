/**
 * The items of a queue: shared memory in blocks of 64 bytes, each item in a chain of them.
 *
 * The memory, in words, for N blocks:
 *
 *     N     order    the items' first blocks, in an order that depends on the kind of queue
 *     N     links    the next block in a chain, or in the list of free blocks; 0: none
 *     16 N  blocks   the first of a chain begins with three words: the length of key and item in
 *                    bytes, the length of the key, and the item's number in the order of arrival
 *
 * and four words of state: the first free block, the number of blocks ever used, the number of free
 * blocks, and the start of a ring in `order`. Blocks count from 1. All methods are called inside
 * the monitor's section.
 */

/** An item as bytes. */
export interface Parcel {
  /** Orders a PriorityQueue; otherwise empty. */
  readonly key: Uint8Array;
  readonly item: Uint8Array;
}

const blockWords = 16;
export const blockBytes = blockWords * Int32Array.BYTES_PER_ELEMENT;
const headBytes = 12;
const LENGTH = 0;
const KEY = 1;
const NUMBER = 2;

const FREE = 0;
const USED = 1;
const LEFT = 2;
const START = 3;

/** Number of words of state. */
export const storeState = 4;

export class Store {
  /** The first blocks of the items in the queue's order; words after them are unused. */
  readonly order: Int32Array;
  readonly #links: Int32Array;
  readonly #blocks: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #state: Int32Array;

  /** @param state the first word of its state @param rest the first word of its memory */
  constructor({ buffer, length }: Int32Array, state: number, rest: number) {
    const blocks = (length - rest) / (2 + blockWords);
    const word = Int32Array.BYTES_PER_ELEMENT;
    this.order = new Int32Array(buffer, rest * word, blocks);
    this.#links = new Int32Array(buffer, (rest + blocks) * word, blocks);
    this.#blocks = new Int32Array(buffer, (rest + 2 * blocks) * word, blocks * blockWords);
    this.#bytes = new Uint8Array(buffer, this.#blocks.byteOffset, this.#blocks.byteLength);
    this.#state = new Int32Array(buffer, state * word, storeState);
  }

  /** Returns the number of words for a store of that many bytes. */
  static words(bytes: number): number {
    return Math.ceil(bytes / blockBytes) * (2 + blockWords);
  }

  /** Prepares new memory. */
  clear(): void {
    this.#state[LEFT] = this.order.length;
  }

  /** The index of the oldest item in `order`, for queues whose order is a ring. */
  get start(): number {
    return this.#state[START]!;
  }

  set start(start: number) {
    this.#state[START] = start;
  }

  /** Number of free blocks. */
  get left(): number {
    return this.#state[LEFT]!;
  }

  /** Number of blocks. */
  get size(): number {
    return this.order.length;
  }

  /** Returns the number of blocks that a parcel takes. */
  static blocks({ key, item }: Parcel): number {
    return Math.ceil((headBytes + key.length + item.length) / blockBytes);
  }

  /** Writes a parcel that fits. @returns its first block */
  add(parcel: Parcel, number: number): number {
    const { key, item } = parcel;
    const first = this.#take(Store.blocks(parcel));
    const head = (first - 1) * blockWords;
    this.#blocks[head + LENGTH] = key.length + item.length;
    this.#blocks[head + KEY] = key.length;
    this.#blocks[head + NUMBER] = number;
    this.#write(first, 0, key);
    this.#write(first, key.length, item);
    return first;
  }

  /** Reads an item, without its key, and frees its blocks. */
  remove(first: number): Uint8Array {
    const head = (first - 1) * blockWords;
    const key = this.#blocks[head + KEY]!;
    const item = new Uint8Array(this.#blocks[head + LENGTH]! - key);
    let to = 0;
    this.#runs(first, key, item.length, (at, n) => {
      item.set(this.#bytes.subarray(at, at + n), to);
      to += n;
    });
    this.drop(first);
    return item;
  }

  /** Frees an item's blocks. They keep their order, so the next item is contiguous, too. */
  drop(first: number): void {
    let blocks = 1;
    let last = first;
    for (let next; (next = this.#links[last - 1]!) !== 0; last = next) blocks++;
    this.#links[last - 1] = this.#state[FREE]!;
    this.#state[FREE] = first;
    this.#state[LEFT] = this.left + blocks;
  }

  /** Returns whether item `a` comes before item `b`: by key, then by arrival. */
  isBefore(a: number, b: number): boolean {
    const [x, y] = [(a - 1) * blockWords, (b - 1) * blockWords];
    const length = Math.min(this.#blocks[x + KEY]!, this.#blocks[y + KEY]!);
    const order = this.#compare(a, b, length);
    if (order !== 0) return order < 0;
    return ((this.#blocks[x + NUMBER]! - this.#blocks[y + NUMBER]!) | 0) < 0; // numbers wrap around
  }

  #write(first: number, skip: number, data: Uint8Array): void {
    let from = 0;
    this.#runs(first, skip, data.length, (at, n) => {
      this.#bytes.set(n === data.length ? data : data.subarray(from, from + n), at);
      from += n;
    });
  }

  #compare(a: number, b: number, length: number): number {
    for (let i = 0, at = headBytes; i < length; i++, at++) {
      if (at === blockBytes) {
        at = 0;
        a = this.#links[a - 1]!;
        b = this.#links[b - 1]!;
      }
      const x = this.#bytes[(a - 1) * blockBytes + at]!;
      const y = this.#bytes[(b - 1) * blockBytes + at]!;
      if (x !== y) return x - y;
    }
    return 0;
  }

  #take(blocks: number): number {
    let first = 0;
    let last = 0;
    for (let i = 0; i < blocks; i++) {
      const block = this.#takeOne();
      if (last === 0) first = block;
      else this.#links[last - 1] = block;
      last = block;
    }
    this.#links[last - 1] = 0;
    this.#state[LEFT] = this.left - blocks;
    return first;
  }

  #takeOne(): number {
    const free = this.#state[FREE]!;
    if (free === 0) return this.#state[USED] = this.#state[USED]! + 1;
    this.#state[FREE] = this.#links[free - 1]!;
    return free;
  }

  /** Calls `use` for each contiguous piece of a chain's bytes. */
  #runs(block: number, skip: number, length: number, use: (at: number, n: number) => void): void {
    skip += headBytes;
    for (; skip >= blockBytes; skip -= blockBytes) block = this.#links[block - 1]!;
    while (length > 0) {
      const at = (block - 1) * blockBytes + skip;
      let n = blockBytes - skip;
      for (let next; n < length && (next = this.#links[block - 1]!) === block + 1; block = next) {
        n += blockBytes;
      }
      n = Math.min(n, length);
      use(at, n);
      length -= n;
      skip = 0;
      block = this.#links[block - 1]!;
    }
  }
}
