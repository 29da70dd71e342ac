/**
 * Makes the bytes of a small file durable.
 *
 * On a quick disk (or one in memory) a sync is over before another thread has heard of it; on a slow
 * one it must not hold up the event loop. So some are tried, and where they are slow, those of the
 * next minute are another thread's.
 */

/** So many ms are quick: to hand a call to another thread and back takes half of that from this one. */
const quick = 0.2;
const pause = 60_000;

/** In ms; one that the scheduler held up does not count for much. */
let average = 0;
let slowUntil = 0;

/** For few bytes: those of a large file always take long. @throws what the system does */
export async function syncSmall(file: Deno.FsFile): Promise<void> {
  const began = performance.now();
  if (began < slowUntil) return await file.sync();
  file.syncSync();
  const now = performance.now();
  average += (Math.min(now - began, 4 * quick) - average) / 10;
  if (average < quick) return;
  slowUntil = now + pause;
  average = 0;
}
