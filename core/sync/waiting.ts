/** Looks on at a primitive from outside: for pictures and for diagnosis, never to decide by. */
import { type Handle, headerWords, type Kind, open, USED, WAITERS } from "./handle.ts";
import { ownState } from "./queue_memory.ts";
import { storeState } from "./store.ts";

const queueWords = 6 + ownState + storeState;

/** Where the slots begin behind the header: two words a queue of waiters, and the kind's own. */
const before: Readonly<Record<Kind, number>> = {
  Lock: 2 + 1,
  RLock: 2 + 4,
  Semaphore: 2 + 1,
  BoundedSemaphore: 2 + 2,
  Event: 2 + 1,
  Timer: 2 + 1,
  Condition: 2 + 0,
  Barrier: 4 + 6,
  Queue: queueWords,
  LifoQueue: queueWords,
  PriorityQueue: queueWords,
};

const slotWords = 4;
const WAITING = 1;

/**
 * How many wait at a primitive, in any isolate, and have not yet been given what they wait for. By
 * the time it is returned it may be another number, unless all who use the primitive stand still.
 *
 * @throws TypeError where it is no whole handle
 *
 * @example
 * ```ts
 * import { Event, waiting } from "./mod.ts";
 * const event = new Event();
 * const wait = event.waitAsync();
 * if (waiting(event.handle) !== 1) throw new Error("one waits");
 * event.set();
 * if (waiting(event.handle) !== 0) throw new Error("nobody does any more");
 * await wait;
 * ```
 */
export function waiting(handle: Handle<Kind>): number {
  const words = new Int32Array(open(handle, handle.kind));
  const slots = headerWords + before[handle.kind];
  const used = Math.min(words[WAITERS]!, Atomics.load(words, USED));
  let n = 0;
  for (let i = 0; i < used; i++) {
    if (Atomics.load(words, slots + slotWords * i) === WAITING) n++;
  }
  return n;
}
