/** `join`: a queue counts unfinished tasks, and join() waits until all are done. */
import { Queue } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import { bilingual } from "../text.ts";

const taskCount = 6;

const functions = {
  /** Works forever. As a daemon, it ends with the program. */
  async worker(thread, { queue }: { queue: Labeled<Queue> }, done: Int32Array) {
    for (;;) {
      await thread.get(queue);
      await thread.sleep(0.2);
      done[0]! += 1;
      await thread.taskDone(queue);
    }
  },
} satisfies Lesson["functions"];

export default {
  idea: {
    en: `An empty queue means that all items have been taken, not that all work is done. So the
queue counts: each put adds one, each taskDone() subtracts one, and join() waits for zero. The
workers may be daemons that loop forever: when join() returns, no work is left, and they end
with the program. One taskDone() too many is an error.`,
    zh: `队列空了只说明都被拿走了，不说明都做完了。所以队列会计数：每次 put 加一，每次 taskDone()
减一，join() 等到归零。于是工作线程可以是永远循环的守护线程：join 返回时没有任何事情没做完，
它们随程序一起结束。taskDone() 调多了会报错。`,
  },
  code: `for (const task of tasks) queue.put(task);
queue.join();                     // [[all are done, not only taken || 全部做完了，而不只是被拿走]]

for (;;) {                        // [[a worker, which is a daemon || 工作线程，守护的]]
  work(queue.get());
  queue.taskDone();
}`,
  threads: { default: 2, min: 1, max: 20 },
  kinds: ["worker", "task"],
  functions,
  async run(runner, { threads }) {
    const done = new Int32Array(new SharedArrayBuffer(4));
    const title = bilingual`${threads} daemons, ${taskCount} tasks ||
      ${threads} 个守护线程，${taskCount} 件任务`;
    const { finished, refused } = await runner.runScheduled(title, async (main) => {
      const queue = main.register("queue", new Queue());
      const daemon = true;
      await main.startEach(threads, "w", functions.worker, { queue }, () => done, { daemon });
      for (let i = 1; i <= taskCount; i++) {
        await main.put(queue, bilingual`task ${i} || 任务 ${i}`);
      }
      await main.joinQueue(queue);
      const refused = await main.step(
        (refused) =>
          bilingual`one taskDone() too many: ${refused ? "a RangeError" : "NO ERROR"} ||
          多调了一次 taskDone()：${refused ? "RangeError" : "居然没有报错"}`,
        () => {
          try {
            queue.primitive.taskDone();
            return false;
          } catch (error) {
            if (error instanceof RangeError) return true;
            throw error;
          }
        },
      );
      return { finished: done[0]!, refused };
    });
    return {
      ok: finished === taskCount && refused,
      summary: bilingual`join returned when ${finished} of ${taskCount} tasks were done ||
        join 返回时，${taskCount} 件任务做完了 ${finished} 件`,
    };
  },
} satisfies Lesson;
