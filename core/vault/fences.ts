/**
 * Fences: how a connection that takes an upload over keeps the former one from writing on. All
 * workers are isolates of one process, and share one table of slots, one slot for each upload that is
 * being written.
 *
 *   free -> idle <-> writing              its writer puts a piece on disk between `enter` and `leave`
 *              \        \
 *               raised   raised, writing -> raised     `enter` fails from here on -> free
 *
 * A slot is one 64-bit word, the upload's number and its state, and changes by compare-and-swap only:
 * raising a fence and beginning a write can't both succeed, and a slot that was given to another
 * upload meanwhile is not touched. Each worker gives out its own region of the table; what a dead
 * worker left in its region is cleared by its successor.
 *
 * What can go wrong: a write that was under way when the fence was raised still lands. `raise` waits
 * until it has, and says so if it can't find out: its writer is gone, or its disk is stuck.
 */
import { BargeError } from "../error.ts";

/** How many uploads a worker may write at once. */
const slotsPerWorker = 4096;
/** How long a write that is under way may take to end, in ms. */
const writeTimeoutMs = 1000;
/** How often that is looked at, in ms. */
const pollMs = 1;

const writing = 1n;
const raised = 2n;
/** Raised because the upload was removed or moved, not taken over. */
const ended = 4n;
const stateBits = 3n;

/** The table for so many workers; plain data, so that it can be posted to them. */
export function makeFenceTable(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(workers * slotsPerWorker * BigInt64Array.BYTES_PER_ELEMENT);
}

/** One isolate's view of the table. */
export class Fences {
  readonly #slots: BigInt64Array<SharedArrayBuffer>;
  readonly #first: number;
  /** Slots of this isolate's region that were used and are free again. */
  readonly #free: number[] = [];
  #used = 0;

  /** @param worker whose region this isolate gives out, from 0 */
  constructor(worker = 0, table: SharedArrayBuffer = makeFenceTable(worker + 1)) {
    this.#slots = new BigInt64Array(table);
    this.#first = worker * slotsPerWorker;
    for (let i = 0; i < slotsPerWorker; i++) Atomics.store(this.#slots, this.#first + i, 0n);
  }

  /**
   * Takes a slot for an upload that is about to be written.
   *
   * @param upload its number in the ledger, at least 1
   * @throws {BargeError} `unavailable` when the worker writes as many as it can
   */
  take(upload: number): Fence {
    const offset = this.#free.pop() ?? this.#used;
    if (offset >= slotsPerWorker) {
      throw new BargeError("unavailable", `${slotsPerWorker} uploads are being written here`, {
        hint: "try again when some of them have ended",
      });
    }
    if (offset === this.#used) this.#used++;
    const index = this.#first + offset;
    const word = BigInt(upload) << stateBits;
    Atomics.store(this.#slots, index, word);
    return new Fence(this.#slots, index, word, () => this.#free.push(offset));
  }

  /**
   * Keeps everybody who writes an upload now from writing on: it is taken over.
   *
   * @returns is it certain that nothing of theirs comes any more? False also where nobody was found,
   *   who may have died in the middle of a write
   */
  async raise(upload: number): Promise<boolean> {
    const found = this.#mark(upload, raised);
    const by = performance.now() + writeTimeoutMs;
    while (found.some((index) => this.#isWriting(index, upload))) {
      if (performance.now() >= by) return false;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    return found.length > 0;
  }

  /** Keeps everybody who writes an upload now from writing on: it is removed, or moved. */
  end(upload: number): void {
    this.#mark(upload, raised | ended);
  }

  /** @returns the upload's slots; those that are raised already stay as they are */
  #mark(upload: number, bits: bigint): number[] {
    const found: number[] = [];
    for (let index = 0; index < this.#slots.length; index++) {
      for (let word; (word = Atomics.load(this.#slots, index)) >> stateBits === BigInt(upload);) {
        const marked = (word & raised) !== 0n ? word : word | bits;
        if (Atomics.compareExchange(this.#slots, index, word, marked) !== word) continue;
        found.push(index);
        break;
      }
    }
    return found;
  }

  #isWriting(index: number, upload: number): boolean {
    const word = Atomics.load(this.#slots, index);
    return word >> stateBits === BigInt(upload) && (word & writing) !== 0n;
  }
}

/** One writer's slot. It writes one piece at a time. */
export class Fence implements Disposable {
  readonly #slots: BigInt64Array<SharedArrayBuffer>;
  readonly #index: number;
  readonly #idle: bigint;
  readonly #free: () => void;
  #ended = false;
  #takenOver = false;

  constructor(
    slots: BigInt64Array<SharedArrayBuffer>,
    index: number,
    idle: bigint,
    free: () => void,
  ) {
    this.#slots = slots;
    this.#index = index;
    this.#idle = idle;
    this.#free = free;
  }

  /** Has another taken the upload over, or ended it? */
  get raised(): boolean {
    return !this.#ended && (Atomics.load(this.#slots, this.#index) & raised) !== 0n;
  }

  /** Was it raised by one who has taken the upload over? Also to be asked when it has ended. */
  get takenOver(): boolean {
    if (this.#ended) return this.#takenOver;
    return this.raised && (Atomics.load(this.#slots, this.#index) & ended) === 0n;
  }

  /** Begins a write. @returns false: it may write no more */
  enter(): boolean {
    const word = this.#idle;
    return Atomics.compareExchange(this.#slots, this.#index, word, word | writing) === word;
  }

  /** Ends a write that {@link enter} has begun. */
  leave(): void {
    Atomics.and(this.#slots, this.#index, ~writing);
  }

  /** Gives the slot back: nothing will be written any more. */
  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#takenOver = this.takenOver;
    this.#ended = true;
    Atomics.store(this.#slots, this.#index, 0n);
    this.#free();
  }
}

/** Changes a staged file behind its writer's fence. @throws {BargeError} `unavailable` once that is raised */
export function behind<T>(fence: Fence, work: () => T): T {
  if (!fence.enter()) throw takenOver();
  try {
    return work();
  } finally {
    fence.leave();
  }
}

/**
 * Returns the error of a writer whose upload is no longer its own: its fence was raised, or its
 * ledger row has another holder or is gone. The session knows which, and says so to the client
 * (half.ts).
 */
export function takenOver(): BargeError {
  return new BargeError("unavailable", "the upload was taken over or removed meanwhile");
}
