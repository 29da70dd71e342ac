/** `priority`: the most urgent item first, and equal ones in the order of their arrival. */
import { PriorityQueue } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import { bilingual, formatValue, joinNames, type Text } from "../text.ts";
import { drain, drainFunctions, fillAndDrain } from "./parts/fill_and_drain.ts";

/** A priority, and a task. */
type Task = readonly [number, Text];

const tasks: readonly Task[] = [
  [3, bilingual`tidy up || 收拾房间`],
  [1, bilingual`put out the fire || 灭火`],
  [2, bilingual`answer the phone || 接电话`],
  [1, bilingual`call the fire brigade || 打火警电话`],
  [3, bilingual`make tea || 泡茶`],
];
const expected = "put out the fire, call the fire brigade, answer the phone, tidy up, make tea";

export default {
  idea: {
    en: `A PriorityQueue returns the smallest item first: 1 before 2, [1, "b"] before [2, "a"]. If
equal items are to come in the order in which they were put, pass the priority separately. It
waits and is bounded like any queue. An item of low priority may wait forever, as long as more
urgent ones keep coming.`,
    zh: `PriorityQueue 总是先给最小的：1 在 2 前，[1, "b"] 在 [2, "a"] 前。想让同级的按放入的
先后出来，就把优先级单独给，而不是放在数据里。等待和上限都与普通队列一样。只要更急的不断来，
不急的可能一直轮不到。`,
  },
  code: `const queue = new PriorityQueue();
queue.put("[[tidy up || 收拾房间]]", { priority: 3 });
queue.put("[[put out the fire || 灭火]]", { priority: 1 });
queue.get();                      // "[[put out the fire || 灭火]]"`,
  kinds: ["worker", "task"],
  functions: drainFunctions,
  async run(runner) {
    const byPriority = await runner.runScheduled(bilingual`five tasks || 五件事`, async (main) => {
      const queue = main.register("tasks", new PriorityQueue<number>());
      for (const [priority, task] of tasks) {
        const { en, zh } = formatValue(task);
        await main.step(
          bilingual`puts ${en}, priority ${priority} || 放入${zh}，优先级 ${priority}`,
          () => (queue.primitive as PriorityQueue).put(task, { priority }),
        );
      }
      return joinNames(await drain(main, queue, tasks.length) as Text[]);
    });
    const title = bilingual`items that are their own priority || 数据本身就是优先级`;
    const tuples = await runner.runScheduled(title, async (main) => {
      const queue = main.register("tuples", new PriorityQueue<number>());
      return await fillAndDrain(main, queue, [[2, "b"], [1, "z"], [2, "a"]]);
    });
    const order = JSON.stringify(tuples);
    return {
      ok: byPriority.en === expected && order === '[[1,"z"],[2,"a"],[2,"b"]]',
      summary: bilingual`${byPriority.en}; tuples: ${order} || ${byPriority.zh}；元组：${order}`,
    };
  },
} satisfies Lesson;
