import { setTimeout } from "node:timers/promises";

/** Waits for `ms` milliseconds. @throws the signal's reason, as soon as it is aborted */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => signal?.throwIfAborted());
}
