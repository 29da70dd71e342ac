/**
 * A last-in, first-out queue, as Python's `queue.LifoQueue`. queue_memory.ts describes its memory. The
 * store's order is a stack.
 */
import { BaseQueue, type Order } from "./base_queue.ts";
import type { Handle } from "./handle.ts";
import { Monitor } from "./monitor.ts";
import { makeQueue, type QueueOptions, shapeOf } from "./queue_memory.ts";
import type { Store } from "./store.ts";

/**
 * @example
 * ```ts
 * import { LifoQueue } from "./mod.ts";
 * const queue = new LifoQueue<string>();
 * queue.put("first");
 * queue.put("last");
 * if (queue.get() !== "last") throw new Error("last in, first out");
 * ```
 */
export class LifoQueue<T = unknown> extends BaseQueue<T, "LifoQueue"> {
  /**
   * @param maxsize the largest number of items; 0 or less: as many as the memory allows
   * @param monitor only for {@link attach}
   * @throws RangeError if the options or the bound are no counts
   */
  constructor(
    maxsize = 0,
    options: QueueOptions = {},
    monitor: Monitor<"LifoQueue"> = makeQueue("LifoQueue", maxsize, options),
  ) {
    super(monitor, stack);
  }

  /** Returns the same queue for another isolate. @throws TypeError for another kind of handle */
  static attach<T = unknown>(handle: Handle<"LifoQueue">): LifoQueue<T> {
    return new LifoQueue(0, {}, Monitor.attach(shapeOf("LifoQueue"), handle));
  }
}

const stack: Order = {
  add(store: Store, first: number, count: number): void {
    store.order[count] = first;
  },
  take(store: Store, count: number): number {
    return store.order[count - 1]!;
  },
};
