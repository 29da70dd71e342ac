/**
 * Makes the bytes of a small file durable.
 *
 * On a quick disk (or one in memory) a sync is over before another thread has heard of it; on a slow
 * one it must not hold up the event loop. So some are tried, and where they are slow, those of the
 * next minute are another thread's.
 */

/** Handing a call to another thread and back takes about so many ms. */
const quick = 0.1;
const pause = 60_000;

/** In ms; weighed so that one that the scheduler held up does not count for much. */
let average = 0;
let slowUntil = 0;

/** For few bytes: those of a large file always take long. @throws what the system does */
export async function syncSmall(file: Deno.FsFile): Promise<void> {
  const began = performance.now();
  if (began < slowUntil) return await file.sync();
  file.syncSync();
  const now = performance.now();
  average += (now - began - average) / 10;
  if (average < quick) return;
  slowUntil = now + pause;
  average = 0;
}
