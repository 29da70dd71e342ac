/** `priority`: the most urgent first, and among equals the one that came first. */
import { PriorityQueue } from "../../sync/mod.ts";
import type { LessonThread } from "../runner/lesson_thread.ts";
import { fillAndDrain, getterName } from "./parts/fill_and_drain.ts";
import { lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import { bilingual, formatValue, joinNames, type Text } from "../text.ts";

/** How urgent, and what. */
type Task = readonly [number, Text];

const tasks: readonly Task[] = [
  [3, { en: "tidy up", zh: "收拾房间" }],
  [1, { en: "put out the fire", zh: "灭火" }],
  [2, { en: "answer the phone", zh: "接电话" }],
  [1, { en: "call the fire brigade", zh: "打火警电话" }],
  [3, { en: "make tea", zh: "泡茶" }],
];
const expected = "put out the fire, call the fire brigade, answer the phone, tidy up, make tea";

const threadFunctions = {
  async getter(
    thread: LessonThread,
    { queue }: { readonly queue: Labeled<PriorityQueue<number>> },
    n: number,
  ) {
    const got: unknown[] = [];
    while (got.length < n) got.push(await thread.get(queue));
    return got;
  },
};

export default lesson({
  idea: {
    en:
      `A PriorityQueue gives out the smallest first: 1 before 2, [1, "b"] before [2, "a"]. Give the
priority apart from the item where equals are to come in the order in which they were put.
It waits and is bounded as any queue is. What is never urgent may wait for ever, as long as
something more urgent keeps coming.`,
    zh: `PriorityQueue 总是先给最小的：1 在 2 前，[1, "b"] 在 [2, "a"] 前。想让同级的按放入的
先后出来，就把优先级单独给，而不是放在数据里。等待和上限都与普通队列一样。只要更急的不断来，
不急的可能一直轮不到。`,
  },
  code: bilingual`const queue = new PriorityQueue();
queue.put(${{ en: '"tidy up"', zh: '"收拾房间"' }}, { priority: 3 });
queue.put(${{ en: '"put out the fire"', zh: '"灭火"' }}, { priority: 1 });
queue.get();                      // ${{ en: '"put out the fire"', zh: '"灭火"' }}`,
  kinds: ["worker", "task"],
  threadFunctions,
  async run(runner) {
    const got = await runner.runScheduled({ en: "five tasks", zh: "五件事" }, async (main) => {
      const queue = main.register("tasks", new PriorityQueue<number>());
      for (const [priority, what] of tasks) {
        await main.step({
          en: `puts ${formatValue(what).en}, priority ${priority}`,
          zh: `放入${formatValue(what).zh}，优先级 ${priority}`,
        }, () => {
          (queue.primitive as PriorityQueue).put(what, { priority });
        });
      }
      const getter = await main.start(getterName, threadFunctions.getter, { queue }, tasks.length);
      await main.join([getter]);
      return joinNames(main.result(getter) as Text[]);
    });
    const tuples = await runner.runScheduled(
      { en: "items that are their own priority", zh: "数据本身就是优先级" },
      (main) =>
        fillAndDrain(
          main,
          threadFunctions.getter,
          main.register("tuples", new PriorityQueue<number>()),
          [
            [2, "b"],
            [1, "z"],
            [2, "a"],
          ],
        ),
    );
    const order = JSON.stringify(tuples);
    return {
      ok: got.en === expected && order === '[[1,"z"],[2,"a"],[2,"b"]]',
      summary: { en: `${got.en}; tuples: ${order}`, zh: `${got.zh}；元组：${order}` },
    };
  },
});
