/**
 * `lock`: a hundred threads read a number, think, and write it back less one.
 *
 * Without a lock all have read before the first writes, since they sleep in between for longer than
 * a hundred reads take. With one, reading and writing is one thing.
 */
import { Lock } from "../../sync/mod.ts";
import type { LessonThread } from "../runner/lesson_thread.ts";
import { lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import type { MainThread } from "../runner/main_thread.ts";
import { bilingual } from "../text.ts";

interface Args {
  readonly left: Int32Array;
  readonly sleep: number;
}

const threadFunctions = {
  async careless(thread: LessonThread, _: Record<never, never>, { left, sleep }: Args) {
    await subtract(thread, left, sleep);
  },
  async careful(thread: LessonThread, { lock }: { lock: Labeled<Lock> }, { left, sleep }: Args) {
    await thread.acquire(lock);
    await subtract(thread, left, sleep);
    await thread.release(lock);
  },
};

async function subtract(thread: LessonThread, left: Int32Array, sleep: number): Promise<void> {
  const n = await thread.step(
    (read) => bilingual`${{ en: "reads", zh: "读到" }} n = ${read}`,
    () => left[0]!,
  );
  await thread.sleep(sleep);
  await thread.step(bilingual`${{ en: "writes", zh: "写回" }} n = ${n - 1}`, () => {
    left[0] = n - 1;
  });
}

export default lesson({
  idea: {
    en: `"n = n - 1" is three steps: read, subtract, write. Between two of them another thread may
read the same n, and one of the two subtractions is lost. With a sleep in between, all
hundred threads read 100 before the first writes 99: ninety-nine subtractions are lost.
A lock makes the three steps one: who wants it while another has it waits at acquire.
It costs what it must: inside the lock the threads run one after the other.`,
    zh: `“n = n - 1”其实是三步：读、减、写。在任意两步之间，别的线程都可能读到同一个 n，
于是其中一次减法就丢了。中间睡一下，一百个线程就全都在第一个写回 99 之前读到了 100：
丢掉了九十九次减法。锁把这三步变成不可分割的一步：锁被别人拿着时，想要它的线程就停在
acquire 上等。代价也在这里：锁里面的代码只能一个线程接一个线程地跑。`,
  },
  code: bilingual`const lock = new Lock();          // new Worker(...).postMessage(lock.handle)

using _ = lock.hold();            // ${{
    en: "acquire; release at the end of the block",
    zh: "acquire；离开代码块时 release",
  }}
const n = left[0];                // ${{
    en: "left: an Int32Array on a SharedArrayBuffer",
    zh: "left：SharedArrayBuffer 上的 Int32Array",
  }}
sleep(0.2);
left[0] = n - 1;`,
  threads: { default: 100, min: 2, max: 500 },
  kinds: ["worker", "task"],
  threadFunctions,
  async run(runner, { threads }) {
    const options = { threads, stepSeconds: 0.001 };
    const play =
      (role: keyof typeof threadFunctions, sleep: number) => async (main: MainThread) => {
        const left = new Int32Array(new SharedArrayBuffer(4));
        left[0] = threads;
        const lock = main.register("lock", new Lock());
        const started = [];
        for (let i = 1; i <= threads; i++) {
          started.push(await main.start(`t${i}`, threadFunctions[role], { lock }, { left, sleep }));
        }
        await main.join(started);
        return await main.step((n) => `n = ${n}`, () => left[0]!);
      };
    const without = await runner.runScheduled(
      { en: `${threads} threads without a lock`, zh: `${threads} 个线程，不加锁` },
      play("careless", 1),
      options,
    );
    const held = await runner.runScheduled(
      { en: `${threads} threads with a lock`, zh: `${threads} 个线程，加锁` },
      play("careful", 0.01),
      options,
    );
    return {
      ok: without === threads - 1 && held === 0,
      summary: {
        en: `n = ${threads}; without a lock ${without} is left, with it ${held}`,
        zh: `n = ${threads}；不加锁剩 ${without}，加锁剩 ${held}`,
      },
    };
  },
});
