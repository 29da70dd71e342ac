/**
 * A first-in, first-out queue, as Python's `queue.Queue`. queue_memory.ts describes its memory. The
 * store's order is a ring that starts with the oldest item, and has the first block of each item.
 */
import { BaseQueue, type Order } from "./base_queue.ts";
import type { Handle } from "./handle.ts";
import { Monitor } from "./monitor.ts";
import { makeQueue, type QueueOptions, shapeOf } from "./queue_memory.ts";
import type { Store } from "./store.ts";

/**
 * @example
 * ```ts
 * import { Queue } from "./mod.ts";
 * const queue = new Queue<string>(2);
 * queue.put("first");
 * await queue.putAsync("second");
 * if (!queue.full() || queue.get() !== "first") throw new Error("first in, first out");
 * ```
 */
export class Queue<T = unknown> extends BaseQueue<T, "Queue"> {
  /**
   * @param maxsize the largest number of items; 0 or less: as many as the memory allows
   * @param monitor only for {@link attach}
   * @throws RangeError if the options or the bound are no counts
   */
  constructor(
    maxsize = 0,
    options: QueueOptions = {},
    monitor: Monitor<"Queue"> = makeQueue("Queue", maxsize, options),
  ) {
    super(monitor, ring);
  }

  /** Returns the same queue for another isolate. @throws TypeError for another kind of handle */
  static attach<T = unknown>(handle: Handle<"Queue">): Queue<T> {
    return new Queue(0, {}, Monitor.attach(shapeOf("Queue"), handle));
  }
}

const ring: Order = {
  add(store: Store, firstBlock: number, count: number): void {
    store.order[(store.start + count) % store.size] = firstBlock;
  },
  take(store: Store): number {
    const firstBlock = store.order[store.start]!;
    store.start = (store.start + 1) % store.size;
    return firstBlock;
  },
};
