/** `condition`: producers and consumers at a shelf with room for a few loaves. */
import { Condition, Lock } from "../../sync/mod.ts";
import type { LessonThread } from "../runner/lesson_thread.ts";
import { lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import { bilingual } from "../text.ts";

interface Shelf {
  readonly lock: Labeled<Lock>;
  readonly notFull: Labeled<Condition>;
  readonly notEmpty: Labeled<Condition>;
}
interface Args {
  /** How many loaves are there; the most and the least that there ever were. */
  readonly loaves: Int32Array;
  readonly room: number;
  readonly times: number;
}

const room = 2;
const times = 3;

const threadFunctions = {
  async baker(
    thread: LessonThread,
    { lock, notFull, notEmpty }: Shelf,
    { loaves, room, times }: Args,
  ) {
    for (let i = 0; i < times; i++) {
      await thread.acquire(lock);
      while (loaves[0]! >= room) await thread.waitForCondition(notFull, lock);
      await thread.step(
        (n) => ({ en: `puts a loaf there: ${n}`, zh: `放上一个面包：共 ${n} 个` }),
        () => changed(loaves, 1),
      );
      await thread.notify(notEmpty);
      await thread.release(lock);
    }
  },
  async guest(thread: LessonThread, { lock, notFull, notEmpty }: Shelf, { loaves, times }: Args) {
    for (let i = 0; i < times; i++) {
      await thread.acquire(lock);
      while (loaves[0] === 0) await thread.waitForCondition(notEmpty, lock);
      await thread.step(
        (n) => ({ en: `takes a loaf: ${n} left`, zh: `拿走一个面包：剩 ${n} 个` }),
        () => changed(loaves, -1),
      );
      await thread.notify(notFull);
      await thread.release(lock);
      await thread.sleep(0.1);
    }
  },
};

function changed(loaves: Int32Array, by: number): number {
  loaves[0]! += by;
  loaves[1] = Math.max(loaves[1]!, loaves[0]!);
  loaves[2] = Math.min(loaves[2]!, loaves[0]!);
  return loaves[0]!;
}

export default lesson({
  idea: {
    en: `Some waits are for more than a lock: a guest needs the lock of the shelf and a loaf on it.
wait() gives the lock back, sleeps until it is notified, and has the lock again when it
returns; nothing can change in between unseen. What was true at the notice may be true no
more when the lock is back, as another was faster: so look again, with while, never with if.
Who changes something notifies those who may wait for it.`,
    zh: `有些等待要的不只是锁：客人既要拿到架子的锁，架子上还得有面包。wait() 先把锁还回去，
睡到有人通知，返回时锁又在手里；中间的变化不会漏看。不过收到通知时成立的条件，等重新拿到锁
时可能已经不成立了（被别人抢先一步）：所以要用 while 再看一遍，不能用 if。谁改变了状态，谁就
通知可能在等它的线程。`,
  },
  code: bilingual`const lock = new Lock();
const [notFull, notEmpty] = [new Condition(lock), new Condition(lock)];

using _ = lock.hold();            // ${{ en: "a guest", zh: "客人" }}
while (loaves[0] === 0) notEmpty.wait();
loaves[0] -= 1;
notFull.notify();`,
  threads: { default: 4, min: 2, max: 20, even: true },
  kinds: ["worker", "task"],
  threadFunctions,
  async run(runner, { threads }) {
    const loaves = new Int32Array(new SharedArrayBuffer(12));
    const pairs = threads / 2;
    await runner.runScheduled({
      en: `${pairs} bakers and ${pairs} guests, room for ${room} loaves`,
      zh: `${pairs} 个面包师，${pairs} 个客人，架子只放得下 ${room} 个面包`,
    }, async (main) => {
      const lock = main.register("lock", new Lock());
      const notFull = main.register("notFull", new Condition(lock.primitive));
      const notEmpty = main.register("notEmpty", new Condition(lock.primitive));
      const props = { lock, notFull, notEmpty };
      const started = [];
      for (let i = 1; i <= pairs; i++) {
        const args = { loaves, room, times };
        const guest = { en: `guest-${i}`, zh: `客人-${i}` };
        const baker = { en: `baker-${i}`, zh: `面包师-${i}` };
        started.push(await main.start(guest, threadFunctions.guest, props, args));
        started.push(await main.start(baker, threadFunctions.baker, props, args));
      }
      await main.join(started);
    });
    const [left, most, least] = loaves;
    const made = pairs * times;
    return {
      ok: left === 0 && most! <= room && least === 0,
      summary: {
        en:
          `${made} loaves were made and taken; never more than ${most} on the shelf, never fewer ` +
          `than ${least}`,
        zh: `做了也拿走了 ${made} 个面包；架子上最多 ${most} 个，最少 ${least} 个`,
      },
    };
  },
});
