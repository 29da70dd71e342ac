/**
 * A queue that returns its lowest item first, as Python's `queue.PriorityQueue`, and equal items in the
 * order of their arrival. queue_memory.ts describes its memory. The store's order is a binary heap of the
 * items, each stored after its key (key.ts).
 *
 * An item is its own priority unless `put` names another: a number, a string, or an array that is
 * compared from left to right, as Python compares tuples: `[2, "walk"]` before `[2, "xerox"]`. An
 * element without an order, such as the object in `[2, { task: "walk" }]`, counts as equal, and the
 * elements after it do not count; Python raises a TypeError there.
 */
import { BaseQueue, type BlockOptions, type Order } from "./base_queue.ts";
import type { Handle } from "./handle.ts";
import { encode } from "./item.ts";
import { keyOf, type Priority } from "./key.ts";
import { Monitor } from "./monitor.ts";
import { type AsyncOptions, deadline } from "./options.ts";
import { makeQueue, type QueueOptions, shapeOf } from "./queue_memory.ts";
import type { Parcel, Store } from "./store.ts";

export interface PriorityOptions {
  /** The priority of the item; default: the item itself. */
  readonly priority?: Priority;
}

/**
 * @example
 * ```ts
 * import { PriorityQueue } from "./mod.ts";
 * const queue = new PriorityQueue();
 * queue.put([2, "walk"]);
 * queue.put([1, { sit: true }]);
 * queue.put("bark", { priority: 0 });
 * if (queue.get() !== "bark") throw new Error("lowest first");
 * ```
 */
export class PriorityQueue<T = unknown> extends BaseQueue<T, "PriorityQueue"> {
  /**
   * @param maxsize the largest number of items; 0 or less: as many as the memory allows
   * @param monitor only for {@link attach}
   * @throws RangeError if the options or the bound are no counts
   */
  constructor(
    maxsize = 0,
    options: QueueOptions = {},
    monitor: Monitor<"PriorityQueue"> = makeQueue("PriorityQueue", maxsize, options),
  ) {
    super(monitor, heap);
  }

  /** Returns the same queue for another isolate. @throws TypeError for another kind of handle */
  static attach<T = unknown>(handle: Handle<"PriorityQueue">): PriorityQueue<T> {
    return new PriorityQueue(0, {}, Monitor.attach(shapeOf("PriorityQueue"), handle));
  }

  /**
   * Puts an item, as {@link BaseQueue.put} does.
   *
   * @throws also TypeError for an item or priority without an order
   */
  override put(item: T, options: BlockOptions & PriorityOptions = {}): void {
    const { block = true, timeout, priority } = options;
    this.putParcel(prioritized(item, priority), block ? deadline(timeout) : -Infinity);
  }

  /** Puts an item, as {@link BaseQueue.putAsync} does. @throws also TypeError, as {@link put} */
  override async putAsync(item: T, options: AsyncOptions & PriorityOptions = {}): Promise<void> {
    const { timeout, signal, priority } = options;
    await this.putParcelAsync(prioritized(item, priority), deadline(timeout), signal);
  }

  /** Puts an item, as {@link BaseQueue.putNowait} does. @throws also TypeError, as {@link put} */
  override putNowait(item: T, options: PriorityOptions = {}): void {
    this.put(item, { ...options, block: false });
  }
}

function prioritized(item: unknown, priority: unknown = item): Parcel {
  return { key: keyOf(priority), item: encode(item) };
}

const heap: Order = {
  add(store: Store, first: number, count: number): void {
    const { order } = store;
    let at = count;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!store.isBefore(first, order[above]!)) break;
      order[at] = order[above]!;
      at = above;
    }
    order[at] = first;
  },

  take(store: Store, count: number): number {
    const { order } = store;
    const first = order[0]!;
    const last = order[count - 1]!;
    const left = count - 1;
    let at = 0;
    for (let below; (below = 2 * at + 1) < left; at = below) {
      if (below + 1 < left && store.isBefore(order[below + 1]!, order[below]!)) below++;
      if (!store.isBefore(order[below]!, last)) break;
      order[at] = order[below]!;
    }
    order[at] = last;
    return first;
  },
};
