/**
 * First in, first out, as Python's `queue.Queue`. Memory: queue_memory.ts; the store's order
 * is a ring of the items, the oldest at its start.
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
   * @param maxsize how many items there may be; 0 or less: as many as the bytes allow
   * @param monitor only for {@link attach}
   * @throws RangeError where the options or the bound are no counts
   */
  constructor(
    maxsize = 0,
    options: QueueOptions = {},
    monitor: Monitor<"Queue"> = makeQueue("Queue", maxsize, options),
  ) {
    super(monitor, ring);
  }

  /** The same queue, in another isolate. @throws TypeError where it is no queue's handle */
  static attach<T = unknown>(handle: Handle<"Queue">): Queue<T> {
    return new Queue(0, {}, Monitor.attach(shapeOf("Queue"), handle));
  }
}

const ring: Order = {
  add(store: Store, first: number, count: number): void {
    store.order[(store.start + count) % store.size] = first;
  },
  take(store: Store): number {
    const first = store.order[store.start]!;
    store.start = (store.start + 1) % store.size;
    return first;
  },
};
