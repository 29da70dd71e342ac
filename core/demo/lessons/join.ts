/** `join`: the queue knows when all that was put into it has been done. */
import { Queue } from "../../sync/mod.ts";
import type { LessonThread } from "../runner/lesson_thread.ts";
import { lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import { bilingual } from "../text.ts";

const tasks = 6;

const threadFunctions = {
  /** Works for ever; being a daemon, it ends with the program. */
  async worker(
    thread: LessonThread,
    { queue }: { readonly queue: Labeled<Queue> },
    done: Int32Array,
  ) {
    for (;;) {
      await thread.get(queue);
      await thread.sleep(0.2);
      done[0]! += 1;
      await thread.taskDone(queue);
    }
  },
};

export default lesson({
  idea: {
    en:
      `An empty queue says that all has been taken, not that all has been done. So the queue counts:
each put adds one, each taskDone() takes one away, and join() waits for zero. The workers may
then be daemons that loop for ever: once the queue is joined nothing is left undone, and they
end with the program. taskDone() once too often is an error.`,
    zh: `队列空了只说明都被拿走了，不说明都做完了。所以队列会计数：每次 put 加一，每次 taskDone()
减一，join() 等到归零。于是工作线程可以是永远循环的守护线程：join 返回时没有任何事情没做完，
它们随程序一起结束。taskDone() 调多了会报错。`,
  },
  code: bilingual`for (const task of tasks) queue.put(task);
queue.join();                     // ${{
    en: "all of them are done, not just taken",
    zh: "全部做完了，而不只是被拿走",
  }}

for (;;) {                        // ${{ en: "a worker, a daemon", zh: "工作线程，守护的" }}
  work(queue.get());
  queue.taskDone();
}`,
  threads: { default: 2, min: 1, max: 20 },
  kinds: ["worker", "task"],
  threadFunctions,
  async run(runner, { threads }) {
    const done = new Int32Array(new SharedArrayBuffer(4));
    const seen = await runner.runScheduled({
      en: `${threads} daemons, ${tasks} tasks`,
      zh: `${threads} 个守护线程，${tasks} 件任务`,
    }, async (main) => {
      const queue = main.register("queue", new Queue());
      for (let i = 1; i <= threads; i++) {
        await main.start(`w${i}`, threadFunctions.worker, { queue }, done, { daemon: true });
      }
      for (let i = 1; i <= tasks; i++) {
        await main.put(queue, { en: `task ${i}`, zh: `任务 ${i}` });
      }
      await main.joinQueue(queue);
      const tooOften = await main.step(
        (refused) => ({
          en: `taskDone() once too often: ${refused ? "a RangeError" : "NO ERROR"}`,
          zh: `多调了一次 taskDone()：${refused ? "RangeError" : "居然没有报错"}`,
        }),
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
      return { done: done[0]!, tooOften };
    });
    return {
      ok: seen.done === tasks && seen.tooOften,
      summary: {
        en: `join returned when ${seen.done} of ${tasks} tasks were done`,
        zh: `join 返回时，${tasks} 件任务做完了 ${seen.done} 件`,
      },
    };
  },
});
