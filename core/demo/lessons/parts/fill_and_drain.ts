/** What several lessons on queues do: main puts items in, and a thread takes them out. */
import type { ThreadFunction } from "../../runner/lesson_code.ts";
import type { AnyQueue, Labeled } from "../../runner/primitives.ts";
import type { MainThread } from "../../runner/main_thread.ts";

/** The thread that takes items out. */
export const getterName = { en: "getter", zh: "取者" };

/** Puts all in before the thread starts. @returns what it got, in its order */
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
