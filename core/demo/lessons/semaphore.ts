/** `semaphore`: many tasks, a few at a time; and a pool, which needs fewer threads for that. */
import { Queue, Semaphore } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import { bilingual } from "../text.ts";

const permits = 5;
const tasks = 20;
const taskSeconds = 0.5;

const functions = {
  async visitor(thread, { sema }: { sema: Labeled<Semaphore> }, counts: Int32Array) {
    await thread.acquire(sema);
    enter(counts);
    await thread.sleep(taskSeconds);
    counts[0]!--;
    await thread.release(sema);
  },
  async poolThread(thread, { tasks }: { tasks: Labeled<Queue> }, counts: Int32Array) {
    let done = 0;
    while (await thread.get(tasks, { blocking: false }) !== undefined) {
      enter(counts);
      await thread.sleep(taskSeconds);
      counts[0]!--;
      done++;
    }
    return done;
  },
} satisfies Lesson["functions"];

/** @param counts the current number of threads inside, and the highest one */
function enter(counts: Int32Array): void {
  counts[0]!++;
  counts[1] = Math.max(counts[1]!, counts[0]!);
}

export default {
  idea: {
    en: `A semaphore is a lock with several permits. Twenty threads arrive at once; five get in,
and each one that leaves lets in the first of the queue: with half a second each, four rounds
in two seconds. A pool looks the same from outside, but differs: with the semaphore there are
twenty threads, fifteen of which wait; with the pool there are five threads, and tasks wait in
a queue. Use a semaphore to limit what existing threads do at once, and a pool to have fewer
threads.`,
    zh: `信号量就是有好几把钥匙的锁。二十个线程同时到来，五个先进去；出来一个，排在最前面的就
进去一个：每个半秒，一共四轮、两秒。
线程池从外面看一样，其实不同：用信号量时有二十个线程，其中十五个在等；用线程池时只有五个
线程，等的是队列里的任务。线程反正已经有了、只想限制同时做的数量，就用信号量；想少开线程，
就用线程池。`,
  },
  code: `const sema = new Semaphore(5);

sema.acquire();                   // [[in each of the twenty threads || 二十个线程里的每一个]]
work();
sema.release();

for (let task; (task = tasks.get()); ) work(task);    // [[in each of the five threads of a pool || 线程池的五个线程里的每一个]]`,
  threads: { default: tasks, min: permits + 1, max: 200 },
  kinds: ["worker", "task"],
  functions,
  async run(runner, { threads }) {
    const maxInside = await runner.runScheduled(
      bilingual`${threads} threads, a semaphore of ${permits} ||
        ${threads} 个线程，信号量为 ${permits}`,
      async (main) => {
        const counts = new Int32Array(new SharedArrayBuffer(8));
        const sema = main.register("sema", new Semaphore(permits));
        await main.join(
          await main.startEach(threads, "t", functions.visitor, { sema }, () => counts),
        );
        return counts[1]!;
      },
      { threads, stepSeconds: 0.001 },
    );
    const pool = await runner.runScheduled(
      bilingual`a pool of ${permits} threads, ${threads} tasks ||
        ${permits} 个线程的线程池，${threads} 个任务`,
      async (main) => {
        const counts = new Int32Array(new SharedArrayBuffer(8));
        const tasks = main.register("tasks", new Queue());
        for (let i = 1; i <= threads; i++) tasks.primitive.put(bilingual`task ${i} || 任务 ${i}`);
        await main.step(bilingual`puts ${threads} tasks into tasks ||
          把 ${threads} 个任务放入 tasks`);
        const { poolThread } = functions;
        const started = await main.startEach(permits, "p", poolThread, { tasks }, () => counts);
        const done = await main.resultsOf(started);
        return { maxInside: counts[1]!, done: done.reduce((sum, n) => sum + n, 0) };
      },
      { stepSeconds: 0.001 },
    );
    return {
      ok: maxInside === permits && pool.maxInside === permits && pool.done === threads,
      summary: bilingual`with the semaphore at most ${maxInside} of ${threads} threads were
        inside; the pool's ${permits} threads did all ${pool.done} tasks ||
        用信号量，${threads} 个线程里最多同时有 ${maxInside} 个在里面；
        线程池的 ${permits} 个线程做完了全部 ${pool.done} 个任务`,
    };
  },
} satisfies Lesson;
