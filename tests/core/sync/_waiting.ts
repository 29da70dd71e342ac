/** Sees, in a primitive's memory, who waits at it. */
import type { Handle, Kind } from "../../../core/sync/mod.ts";

/** Where the slots begin: after the header, two words a queue, and the kind's own. */
const slots: Record<Exclude<Kind, "Timer">, number> = {
  Lock: 8 + 2 + 1,
  RLock: 8 + 2 + 4,
  Semaphore: 8 + 2 + 1,
  BoundedSemaphore: 8 + 2 + 2,
  Event: 8 + 2 + 1,
  Condition: 8 + 2 + 0,
  Barrier: 8 + 4 + 6,
  Queue: 8 + 6 + 12,
  LifoQueue: 8 + 6 + 12,
  PriorityQueue: 8 + 6 + 12,
};

/** How many slots are WAITING. */
export function waiters(handle: Handle<Exclude<Kind, "Timer">>): number {
  return states(handle).filter((state) => state === 1).length;
}

/** How many slots are not FREE. */
export function used(handle: Handle<Exclude<Kind, "Timer">>): number {
  return states(handle).filter((state) => state !== 0).length;
}

function states({ kind, memory }: Handle<Exclude<Kind, "Timer">>): number[] {
  const words = new Int32Array(memory);
  const bound = words[2]!;
  return Array.from({ length: bound }, (_, i) => Atomics.load(words, slots[kind] + 4 * i));
}

/** Resolves once so many wait. */
export async function untilWaiting(
  primitive: { readonly handle: Handle<Exclude<Kind, "Timer">> },
  n: number,
): Promise<void> {
  while (waiters(primitive.handle) < n) await new Promise((resolve) => setTimeout(resolve, 1));
}
