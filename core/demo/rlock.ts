/** `rlock`: a lock that its owner may take again, and gives back as often. */
import { RLock } from "../sync/mod.ts";
import type { Agent } from "./agent.ts";
import { lesson } from "./lesson.ts";
import type { Prop } from "./props.ts";

const depth = 3;

interface Args {
  /** How deep, and what is counted inside. */
  readonly depth: number;
  readonly count: Int32Array;
}

const roles = {
  async nests(me: Agent, { lock }: { readonly lock: Prop<RLock> }, { depth, count }: Args) {
    const nest = async (left: number): Promise<void> => {
      if (left === 0) {
        const n = await me.does((read) => `reads ${read}`, () => count[0]!);
        await me.sleeps(0.1);
        await me.does(`writes ${n + 1}`, () => void (count[0] = n + 1));
        return;
      }
      await me.acquire(lock);
      await me.does((n) => `has it ${n} times`, () => lock.it.recursionCount());
      await nest(left - 1);
      await me.release(lock);
    };
    await nest(depth);
  },
  async stranger(me: Agent, { lock }: { readonly lock: Prop<RLock> }) {
    return await me.does((why) => `tries to release it: ${why}`, () => {
      try {
        lock.it.release();
        return "it could";
      } catch (error) {
        return (error as Error).message;
      }
    });
  },
};

export default lesson({
  idea: {
    en: `A function takes a lock and calls another one that takes the same lock: with a Lock the
thread waits for itself, for ever. An RLock knows its owner, and counts: the owner takes it
again at once, and it is free when it has been given back as often as it was taken.
Nobody but the owner can give it back. Others wait until the last of it.`,
    zh: `一个函数拿了锁，又去调用另一个也要拿这把锁的函数：如果是 Lock，线程就会永远等自己。
RLock 记得主人是谁，并且计数：主人可以马上再拿一次，拿了几次就要还几次，全部还完才算空闲。
除了主人，谁也不能还它；别的线程要等到最后一次归还。`,
  },
  code: `const lock = new RLock();

function outer() { using _ = lock.hold(); inner(); }
function inner() { using _ = lock.hold(); n = n + 1; }   // a Lock would wait for ever here

lock.recursionCount();            // how often this thread has it`,
  threads: { usual: 3, least: 2, most: 20 },
  // All tasks of an isolate are one owner.
  kinds: ["worker"],
  roles,
  async play(stage, { threads }) {
    const count = new Int32Array(new SharedArrayBuffer(4));
    const refused = await stage.act({
      en: `${threads} threads, each ${depth} deep`,
      zh: `${threads} 个线程，每个拿 ${depth} 层`,
    }, async (main) => {
      const lock = main.prop("lock", new RLock());
      const started = [];
      for (let i = 1; i <= threads; i++) {
        started.push(await main.start(`t${i}`, roles.nests, { lock }, { depth, count }));
      }
      const stranger = await main.start("stranger", roles.stranger, { lock }, undefined);
      await main.join([...started, stranger]);
      return String(main.result(stranger));
    });
    const kept = refused.startsWith("can't release");
    return {
      ok: count[0] === threads && kept,
      said: {
        en: `${threads} threads counted to ${count[0]}, ${depth} deep; ` +
          `the stranger was told: ${refused}`,
        zh: `${threads} 个线程各拿 ${depth} 层，数到了 ${count[0]}；外人来还锁，被告知：${refused}`,
      },
    };
  },
});
