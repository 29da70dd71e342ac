/**
 * Runs work for items, several at the same time.
 *
 * @param maxParallel the most items whose work is under way
 * @throws the first failure, after all work under way has ended; no work begins after it
 *
 * @example
 * ```ts
 * import { inParallel } from "./parallel.ts";
 * let [running, most] = [0, 0];
 * await inParallel([1, 2, 3, 4, 5], 2, async () => {
 *   most = Math.max(most, ++running);
 *   await Promise.resolve();
 *   running--;
 * });
 * if (most !== 2 || running !== 0) throw new Error();
 * ```
 */
export async function inParallel<T>(
  items: readonly T[],
  maxParallel: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const failures: unknown[] = [];
  const run = async () => {
    for (const item of queue) {
      if (failures.length > 0) return;
      await work(item).catch((error) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: maxParallel }, run));
  if (failures.length > 0) throw failures[0];
}
