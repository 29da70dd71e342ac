/** What several lessons on queues do: main puts items in, and a thread takes them out. */
import type { Role } from "../../lesson.ts";
import type { AnyQueue, Prop } from "../../runner/primitives.ts";
import type { Main } from "../../runner/runner.ts";

/** The thread that takes items out. */
export const getterName = { en: "getter", zh: "取者" };

/** Puts all in before the thread starts. @returns what it got, in its order */
export async function handed<Q extends AnyQueue>(
  main: Main,
  getter: Role<{ readonly queue: Prop<Q> }, number>,
  queue: Prop<Q>,
  items: readonly unknown[],
): Promise<readonly unknown[]> {
  for (const item of items) await main.put(queue, item);
  const thread = await main.start(getterName, getter, { queue }, items.length);
  await main.join([thread]);
  return main.result(thread) as unknown[];
}
