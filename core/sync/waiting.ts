/** The number of agents that wait at a primitive, for display and diagnosis only. */
import { type Handle, headerWords, type Kind, open, USED, WAITERS } from "./handle.ts";
import { slotWords, WAITING } from "./monitor.ts";
import { ownState } from "./queue_memory.ts";
import { storeState } from "./store.ts";

const queueWords = 6 + ownState + storeState;

/** Words between header and slots: two for each queue of waiters, and the kind's own. */
const wordsBeforeSlots: Readonly<Record<Kind, number>> = {
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

/**
 * Returns how many agents wait at a primitive, in all isolates. The number may already have changed
 * unless all users of the primitive are idle.
 *
 * @throws TypeError if the handle is invalid
 *
 * @example
 * ```ts
 * import { Event, waiting } from "./mod.ts";
 * const event = new Event();
 * const wait = event.waitAsync();
 * if (waiting(event.handle) !== 1) throw new Error("one agent waits");
 * event.set();
 * if (waiting(event.handle) !== 0) throw new Error("no agent waits any more");
 * await wait;
 * ```
 */
export function waiting(handle: Handle<Kind>): number {
  const words = new Int32Array(open(handle, handle.kind));
  const slots = headerWords + wordsBeforeSlots[handle.kind];
  const used = Math.min(words[WAITERS]!, Atomics.load(words, USED));
  let n = 0;
  for (let i = 0; i < used; i++) {
    if (Atomics.load(words, slots + slotWords * i) === WAITING) n++;
  }
  return n;
}
