import type { LessonThread } from "../../runner/lesson_thread.ts";
import type { MainThread } from "../../runner/main_thread.ts";
import type { AnyQueue, Labeled } from "../../runner/primitives.ts";
import { bilingual } from "../../text.ts";

type Primitives = { readonly queue: Labeled<AnyQueue> };

export const drainFunctions = {
  async getter(thread: LessonThread, { queue }: Primitives, count: number) {
    const items: unknown[] = [];
    while (items.length < count) items.push(await thread.get(queue));
    return items;
  },
};

/** Fills a queue, and lets a thread take the items out. @returns the items in that order */
export async function fillAndDrain(
  main: MainThread,
  queue: Labeled<AnyQueue>,
  items: readonly unknown[],
): Promise<readonly unknown[]> {
  for (const item of items) await main.put(queue, item);
  return await drain(main, queue, items.length);
}

/** Lets a thread take `count` items out of a queue. */
export async function drain(
  main: MainThread,
  queue: Labeled<AnyQueue>,
  count: number,
): Promise<readonly unknown[]> {
  const name = bilingual`getter || 取者`;
  const thread = await main.start(name, drainFunctions.getter, { queue }, count);
  return (await main.resultsOf([thread]))[0]!;
}
