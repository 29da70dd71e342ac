/** Keeps one client with many requests or files from delaying the other clients of its worker. */
import { setImmediate } from "node:timers/promises";

/** The number of requests, or files of one request, that are served without a pause. */
export const turnLength = 16;

/** Lets the event loop serve other clients after every {@link turnLength}th call. @param count counts the calls */
export async function takeTurns(count: number): Promise<void> {
  if (count % turnLength === 0) await setImmediate();
}
