/** Keeps one client with many requests or files from delaying the other clients of its worker. */
import { setImmediate } from "node:timers/promises";

const maxConsecutive = 16;

/** Lets the event loop serve other clients after every 16th call. @param count counts the calls */
export async function takeTurns(count: number): Promise<void> {
  if (count % maxConsecutive === 0) await setImmediate();
}
