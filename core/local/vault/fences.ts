/**
 * Fences: when an upload is taken over, a fence keeps its former connection from writing on. All workers
 * are isolates of one process, and share one table of slots, one slot for each upload that is being
 * written.
 *
 *   free -> idle <-> writing              its writer puts a piece on disk between `enter` and `leave`
 *              \        \
 *               raised   raised, writing -> raised     `enter` fails from here on -> free
 *
 * A slot is one 64-bit word, the upload's number and its state, and changes by compare-and-swap
 * only: raising a fence and beginning a write can't both succeed, and a slot that belongs to another
 * upload by then does not change. Each worker uses the slots of its own region of the table; the
 * worker that replaces it clears that region.
 *
 * A write that is under way when the fence is raised still ends. `raise` waits for it, and returns
 * false if its end is uncertain: its writer is gone, or its disk is stuck.
 */
import { BargeError } from "../../error.ts";

/** The most uploads that a worker may write at once. */
const slotsPerWorker = 4096;
/** The longest wait for the end of a write under way, in ms. */
const writeTimeoutMs = 1000;
/** The interval of checks for the end of a write, in ms. */
const pollMs = 1;

const writing = 1n;
const raised = 2n;
/** Raised because the upload was removed or moved, not taken over. */
const ended = 4n;
const stateBits = 3n;

/** Makes the table for a number of workers; plain data that can be posted to them. */
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

  /** @param worker the index of this worker, from 0 */
  constructor(worker = 0, table: SharedArrayBuffer = makeFenceTable(worker + 1)) {
    this.#slots = new BigInt64Array(table);
    this.#first = worker * slotsPerWorker;
    for (let i = 0; i < slotsPerWorker; i++) Atomics.store(this.#slots, this.#first + i, 0n);
  }

  /**
   * Takes a slot for an upload that is about to be written.
   *
   * @param upload its number in the ledger, at least 1
   * @throws {BargeError} `unavailable` when the worker has no free slot
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
   * Stops all current writers of an upload, because it is taken over.
   *
   * @returns whether all their writes have certainly ended. False also where no writer was found:
   *   the writer may have died during a write
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

  /** Stops all current writers of an upload, because it is removed or moved. */
  end(upload: number): void {
    this.#mark(upload, raised | ended);
  }

  /** Sets bits in the upload's slots, unless they are raised already. @returns the slots */
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

  /** True if the upload was taken over or ended. */
  get raised(): boolean {
    return !this.#ended && (Atomics.load(this.#slots, this.#index) & raised) !== 0n;
  }

  /** True if the upload was taken over. Stays valid after the fence is disposed. */
  get takenOver(): boolean {
    if (this.#ended) return this.#takenOver;
    return this.raised && (Atomics.load(this.#slots, this.#index) & ended) === 0n;
  }

  /** Begins a write. @returns false once the fence is raised */
  enter(): boolean {
    const word = this.#idle;
    return Atomics.compareExchange(this.#slots, this.#index, word, word | writing) === word;
  }

  /** Ends a write that {@link enter} has begun. */
  leave(): void {
    Atomics.and(this.#slots, this.#index, ~writing);
  }

  /** Releases the slot. The writer must not write any more. */
  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#takenOver = this.takenOver;
    this.#ended = true;
    Atomics.store(this.#slots, this.#index, 0n);
    this.#free();
  }
}

/** Changes a staged file, unless the fence is raised. @throws {BargeError} `unavailable` if it is */
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
 * ledger row has another holder or is gone. `OpenUpload.whyLost` returns the reason.
 */
export function takenOver(): BargeError {
  return new BargeError("unavailable", "the upload was taken over or removed meanwhile");
}
