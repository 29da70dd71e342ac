/** Keeps one client with many requests or files from delaying the other clients of its worker. */
import { setImmediate } from "node:timers";

const maxConsecutive = 16;

/** @param count the number served in a row @returns whether to yield to other clients */
export function mustYield(count: number): boolean {
  return count > 0 && count % maxConsecutive === 0;
}

/** Lets the event loop serve other clients. */
export function yieldToOthers(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
