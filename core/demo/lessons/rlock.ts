/** `rlock`: a reentrant lock, which its owner may take several times, and must release as often. */
import { RLock } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import { bilingual, type Text } from "../text.ts";

const depth = 3;

interface Args {
  readonly depth: number;
  /** The counter that the lock protects. */
  readonly count: Int32Array;
}

const functions = {
  async nested(thread, { lock }: { lock: Labeled<RLock> }, { depth, count }: Args) {
    const nest = async (remaining: number): Promise<void> => {
      if (remaining === 0) {
        const n = await thread.step(
          (n) => bilingual`reads n = ${n} || 读到 n = ${n}`,
          () => count[0]!,
        );
        await thread.sleep(0.1);
        await thread.step(
          bilingual`writes n = ${n + 1} || 写回 n = ${n + 1}`,
          () => void (count[0] = n + 1),
        );
        return;
      }
      await thread.acquire(lock);
      await thread.step(timesTaken, () => lock.primitive.recursionCount());
      await nest(remaining - 1);
      await thread.release(lock);
    };
    await nest(depth);
  },
  async stranger(thread, { lock }: { lock: Labeled<RLock> }) {
    return await thread.step(
      (refused) =>
        bilingual`tries to release the lock: ${refused ? "refused" : "NOT REFUSED"} ||
        想归还它：${refused ? "被拒绝" : "居然成功了"}`,
      () => {
        try {
          lock.primitive.release();
          return false;
        } catch (error) {
          if (error instanceof Error && error.message.startsWith("can't release")) return true;
          throw error;
        }
      },
    );
  },
} satisfies Lesson["functions"];

function timesTaken(n: number): Text {
  const times = n === 1 ? "once" : n === 2 ? "twice" : `${n} times`;
  return bilingual`has taken the lock ${times} || 已拿了 ${n} 次`;
}

export default {
  idea: {
    en: `A function takes a lock, and calls another function that takes the same lock: with a
Lock, the thread waits for itself forever. An RLock remembers its owner, and counts: the owner
gets it again at once, and it is free once it has been released as often as it was taken. No
thread but the owner can release it. Others wait until the last release.`,
    zh: `一个函数拿了锁，又去调用另一个也要拿这把锁的函数：如果是 Lock，线程就会永远等自己。
RLock 记得主人是谁，并且计数：主人可以马上再拿一次，拿了几次就要还几次，全部还完才算空闲。
除了主人，谁也不能还它；别的线程要等到最后一次归还。`,
  },
  code: `const lock = new RLock();

function outer() { using _ = lock.hold(); inner(); }
function inner() { using _ = lock.hold(); n = n + 1; }   // [[a Lock would wait forever here || 换成 Lock 会在这里永远等下去]]

lock.recursionCount();            // [[how often this thread holds it || 本线程拿了几次]]`,
  threads: { default: 3, min: 2, max: 20 },
  // All tasks of an isolate are one owner.
  kinds: ["worker"],
  functions,
  async run(runner, { threads }) {
    const count = new Int32Array(new SharedArrayBuffer(4));
    const title = bilingual`${threads} threads, each takes the lock ${depth} times ||
      ${threads} 个线程，每个拿 ${depth} 层`;
    const refused = await runner.runScheduled(title, async (main) => {
      const { nested, stranger } = functions;
      const lock = main.register("lock", new RLock());
      const started = await main.startEach(
        threads,
        "t",
        nested,
        { lock },
        () => ({ depth, count }),
      );
      const other = await main.start(bilingual`stranger || 外人`, stranger, { lock });
      return (await main.resultsOf<unknown>([...started, other])).at(-1) === true;
    });
    return {
      ok: count[0] === threads && refused,
      summary: bilingual`${threads} threads took the lock ${depth} times each and counted to
        ${count[0]}; a stranger ${refused ? "could not" : "COULD"} release it ||
        ${threads} 个线程各拿 ${depth} 层，数到了 ${count[0]}；
        外人${refused ? "还不了" : "居然还了"}这把锁`,
    };
  },
} satisfies Lesson;
