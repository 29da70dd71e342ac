/**
 * `lock`: a hundred threads read a number, sleep, and write the number less one.
 *
 * Without a lock, all threads read before the first one writes, as they sleep for longer than a
 * hundred reads take. With a lock, a read and its write are atomic.
 */
import { Lock } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import type { LessonThread } from "../runner/lesson_thread.ts";
import type { MainThread } from "../runner/main_thread.ts";
import type { Labeled } from "../runner/primitives.ts";
import { bilingual } from "../text.ts";

interface Args {
  readonly left: Int32Array;
  readonly seconds: number;
}

const functions = {
  async withoutLock(thread, _: Record<never, never>, { left, seconds }: Args) {
    await subtract(thread, left, seconds);
  },
  async withLock(thread, { lock }: { lock: Labeled<Lock> }, { left, seconds }: Args) {
    await thread.acquire(lock);
    await subtract(thread, left, seconds);
    await thread.release(lock);
  },
} satisfies Lesson["functions"];

async function subtract(thread: LessonThread, left: Int32Array, seconds: number): Promise<void> {
  const n = await thread.step(
    (read) => bilingual`reads n = ${read} || 读到 n = ${read}`,
    () => left[0]!,
  );
  await thread.sleep(seconds);
  await thread.step(bilingual`writes n = ${n - 1} || 写回 n = ${n - 1}`, () => {
    left[0] = n - 1;
  });
}

export default {
  idea: {
    en: `"n = n - 1" is three steps: read, subtract, write. Between two of them another thread may
read the same n, and then one of the two subtractions is lost. With a sleep after the read, all
hundred threads read 100 before the first one writes 99: ninety-nine subtractions are lost. A
lock makes the three steps atomic: while one thread holds it, each other one waits at acquire.
The price: code inside the lock runs in one thread after the other.`,
    zh: `“n = n - 1”其实是三步：读、减、写。在任意两步之间，别的线程都可能读到同一个 n，
于是其中一次减法就丢了。中间睡一下，一百个线程就全都在第一个写回 99 之前读到了 100：
丢掉了九十九次减法。锁把这三步变成不可分割的一步：锁被别人拿着时，想要它的线程就停在
acquire 上等。代价也在这里：锁里面的代码只能一个线程接一个线程地跑。`,
  },
  code: `const lock = new Lock();          // new Worker(...).postMessage(lock.handle)

using _ = lock.hold();            // [[acquire; release at the end of the block || acquire；离开代码块时 release]]
const n = left[0];                // [[left: an Int32Array on a SharedArrayBuffer || left：SharedArrayBuffer 上的 Int32Array]]
sleep(0.2);
left[0] = n - 1;`,
  threads: { default: 100, min: 2, max: 500 },
  kinds: ["worker", "task"],
  functions,
  async run(runner, { threads }) {
    const options = { threads, stepSeconds: 0.001 };
    const subtractAll =
      (name: keyof typeof functions, seconds: number) => async (main: MainThread) => {
        const left = new Int32Array(new SharedArrayBuffer(4));
        left[0] = threads;
        const lock = main.register("lock", new Lock());
        const args = () => ({ left, seconds });
        await main.join(await main.startEach(threads, "t", functions[name], { lock }, args));
        return await main.step((n) => `n = ${n}`, () => left[0]!);
      };
    const withoutLock = await runner.runScheduled(
      bilingual`${threads} threads without a lock || ${threads} 个线程，不加锁`,
      subtractAll("withoutLock", 1),
      options,
    );
    const withLock = await runner.runScheduled(
      bilingual`${threads} threads with a lock || ${threads} 个线程，加锁`,
      subtractAll("withLock", 0.01),
      options,
    );
    return {
      ok: withoutLock === threads - 1 && withLock === 0,
      summary: bilingual`n = ${threads}; without a lock ${withoutLock} is left, with it
        ${withLock} ||
        n = ${threads}；不加锁剩 ${withoutLock}，加锁剩 ${withLock}`,
    };
  },
} satisfies Lesson;
