/** `condition`: producers and consumers at a shelf that holds a few loaves. */
import { Condition, Lock } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import { bilingual } from "../text.ts";

interface Shelf {
  readonly lock: Labeled<Lock>;
  readonly notFull: Labeled<Condition>;
  readonly notEmpty: Labeled<Condition>;
}

const maxLoaves = 2;
const loavesPerThread = 3;

const functions = {
  async baker(thread, { lock, notFull, notEmpty }: Shelf, loaves: Int32Array) {
    for (let i = 0; i < loavesPerThread; i++) {
      await thread.acquire(lock);
      while (loaves[0]! >= maxLoaves) await thread.waitForCondition(notFull, lock);
      await thread.step(
        (n) => bilingual`puts a loaf on the shelf: ${n} || 放上一个面包：共 ${n} 个`,
        () => changeCount(loaves, 1),
      );
      await thread.notify(notEmpty);
      await thread.release(lock);
    }
  },
  async guest(thread, { lock, notFull, notEmpty }: Shelf, loaves: Int32Array) {
    for (let i = 0; i < loavesPerThread; i++) {
      await thread.acquire(lock);
      while (loaves[0] === 0) await thread.waitForCondition(notEmpty, lock);
      await thread.step(
        (n) => bilingual`takes a loaf: ${n} left || 拿走一个面包：剩 ${n} 个`,
        () => changeCount(loaves, -1),
      );
      await thread.notify(notFull);
      await thread.release(lock);
      await thread.sleep(0.1);
    }
  },
} satisfies Lesson["functions"];

/** Changes the number of loaves. @param loaves the number now, and the highest and lowest so far */
function changeCount(loaves: Int32Array, by: number): number {
  loaves[0]! += by;
  loaves[1] = Math.max(loaves[1]!, loaves[0]!);
  loaves[2] = Math.min(loaves[2]!, loaves[0]!);
  return loaves[0]!;
}

export default {
  idea: {
    en: `Some threads wait for more than a lock: a guest needs the lock of the shelf, and a loaf
on it. wait() releases the lock, sleeps until another thread notifies the condition, and takes
the lock again before it returns, so the thread misses no change. Between the notification and
the return, a faster thread may have taken the loaf: check the state again, with while, never
with if. A thread that changes the state notifies the threads that may
wait for it.`,
    zh: `有些等待要的不只是锁：客人既要拿到架子的锁，架子上还得有面包。wait() 先把锁还回去，
睡到有人通知，返回时锁又在手里；中间的变化不会漏看。不过收到通知时成立的条件，等重新拿到锁
时可能已经不成立了（被别人抢先一步）：所以要用 while 再看一遍，不能用 if。谁改变了状态，谁就
通知可能在等它的线程。`,
  },
  code: `const lock = new Lock();
const [notFull, notEmpty] = [new Condition(lock), new Condition(lock)];

using _ = lock.hold();            // [[a guest || 客人]]
while (loaves[0] === 0) notEmpty.wait();
loaves[0] -= 1;
notFull.notify();`,
  threads: { default: 4, min: 2, max: 20, even: true },
  kinds: ["worker", "task"],
  functions,
  async run(runner, { threads }) {
    const loaves = new Int32Array(new SharedArrayBuffer(12));
    const pairs = threads / 2;
    const title = bilingual`${pairs} bakers and ${pairs} guests, a shelf for ${maxLoaves} loaves ||
      ${pairs} 个面包师，${pairs} 个客人，架子只放得下 ${maxLoaves} 个面包`;
    await runner.runScheduled(title, async (main) => {
      const lock = main.register("lock", new Lock());
      const notFull = main.register("notFull", new Condition(lock.primitive));
      const notEmpty = main.register("notEmpty", new Condition(lock.primitive));
      const shelf = { lock, notFull, notEmpty };
      const started = [];
      for (let i = 1; i <= pairs; i++) {
        const guest = bilingual`guest-${i} || 客人-${i}`;
        const baker = bilingual`baker-${i} || 面包师-${i}`;
        started.push(await main.start(guest, functions.guest, shelf, loaves));
        started.push(await main.start(baker, functions.baker, shelf, loaves));
      }
      await main.join(started);
    });
    const [left, max, min] = loaves;
    const made = pairs * loavesPerThread;
    return {
      ok: left === 0 && max! <= maxLoaves && min === 0,
      summary: bilingual`${made} loaves were made and taken; there were never more than ${max} on
        the shelf, and never fewer than ${min} ||
        做了也拿走了 ${made} 个面包；架子上最多 ${max} 个，最少 ${min} 个`,
    };
  },
} satisfies Lesson;
