import type { ThreadFunction } from "../../runner/lesson_code.ts";
import type { MainThread } from "../../runner/main_thread.ts";
import type { AnyQueue, Labeled } from "../../runner/primitives.ts";

export const getterName = { en: "getter", zh: "取者" };

/** Fills a queue, and lets a thread take the items out. @returns the items in that order */
export async function fillAndDrain<Q extends AnyQueue>(
  main: MainThread,
  getter: ThreadFunction<{ readonly queue: Labeled<Q> }, number>,
  queue: Labeled<Q>,
  items: readonly unknown[],
): Promise<readonly unknown[]> {
  for (const item of items) await main.put(queue, item);
  const thread = await main.start(getterName, getter, { queue }, items.length);
  await main.join([thread]);
  return main.result(thread) as unknown[];
}
