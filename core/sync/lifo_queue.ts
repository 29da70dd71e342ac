/**
 * Last in, first out, as Python's `queue.LifoQueue`. Memory: queue_memory.ts; the store's
 * order is a stack of the items.
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
   * @param maxsize how many items there may be; 0 or less: as many as the bytes allow
   * @param monitor only for {@link attach}
   * @throws RangeError where the options or the bound are no counts
   */
  constructor(
    maxsize = 0,
    options: QueueOptions = {},
    monitor: Monitor<"LifoQueue"> = makeQueue("LifoQueue", maxsize, options),
  ) {
    super(monitor, stack);
  }

  /** The same queue, in another isolate. @throws TypeError where it is no such queue's handle */
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
