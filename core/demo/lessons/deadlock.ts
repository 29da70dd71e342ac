/**
 * `deadlock`: threads that take the same two locks in different orders, and the cures. First two
 * threads; then twenty that take A, B, then B, A, and the same with one reentrant lock under both
 * names.
 */
import { Lock, RLock } from "../../sync/mod.ts";
import type { LessonThread } from "../runner/lesson_thread.ts";
import { findCircle } from "../runner/wait_graph.ts";
import { lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import type { MainThread, ThreadHandle } from "../runner/main_thread.ts";
import { bilingual } from "../text.ts";

interface Two {
  readonly first: Labeled<Lock>;
  readonly second: Labeled<Lock>;
}

/** The number of threads inside both locks, now and at most. */
interface Inside {
  readonly inside: Int32Array;
}

const think = 0.1;
const hasBoth = { en: "has both", zh: "两把都拿到了" };

const threadFunctions = {
  async stubborn(thread: LessonThread, { first, second }: Two) {
    await thread.acquire(first);
    await thread.sleep(think);
    await thread.acquire(second);
    await thread.step(hasBoth);
    await thread.release(second);
    await thread.release(first);
  },
  async polite(
    thread: LessonThread,
    { first, second }: Two,
    { patience }: { readonly patience: number },
  ) {
    for (let tries = 1;; tries++) {
      await thread.acquire(first);
      await thread.sleep(think);
      if (await thread.acquire(second, { timeout: patience })) {
        await thread.step(hasBoth);
        await thread.release(second);
        await thread.release(first);
        return tries;
      }
      await thread.release(first);
      await thread.sleep(patience);
    }
  },
  async twice(thread: LessonThread, { lock }: { readonly lock: Labeled<Lock | RLock> }) {
    await thread.acquire(lock);
    await thread.step({
      en: "calls a function that takes the same lock",
      zh: "调用一个也要拿这把锁的函数",
    });
    await thread.acquire(lock);
    await thread.release(lock);
    await thread.release(lock);
  },
  /** Takes A, then B; or B, then, after a sleep, A. */
  async bothOrders(
    thread: LessonThread,
    { A, B }: { readonly A: Labeled<Lock | RLock>; readonly B: Labeled<Lock | RLock> },
    { inside }: Inside,
  ) {
    const orders = [[A, B, 0], [B, A, think]] as const;
    for (const [first, second, pause] of orders) {
      await thread.acquire(first);
      if (pause > 0) await thread.sleep(pause);
      await thread.acquire(second);
      inside[1] = Math.max(inside[1]!, Atomics.add(inside, 0, 1) + 1);
      await thread.step(hasBoth);
      Atomics.sub(inside, 0, 1);
      await thread.release(second);
      await thread.release(first);
    }
  },
};

/** Two threads, which take A and B in the order that is given for each. */
function two(orders: readonly [string, string]) {
  return async (main: MainThread) => {
    const locks = { A: main.register("A", new Lock()), B: main.register("B", new Lock()) };
    const started = [];
    for (const [i, [first, second]] of orders.entries()) {
      const props = { first: locks[first as "A" | "B"], second: locks[second as "A" | "B"] };
      started.push(await main.start(`t${i + 1}`, threadFunctions.stubborn, props, undefined));
    }
    return await settled(main, started);
  };
}

/**
 * Runs many threads that take A, B, then B, A. @returns whether they ended, and how many were
 * inside
 */
function many(
  threads: number,
  makeLocks: (main: MainThread) => Record<"A" | "B", Labeled<Lock | RLock>>,
) {
  return async (main: MainThread) => {
    const locks = makeLocks(main);
    const inside = new Int32Array(new SharedArrayBuffer(8));
    const started = [];
    for (let i = 1; i <= threads; i++) {
      started.push(await main.start(`t${i}`, threadFunctions.bothOrders, locks, { inside }));
    }
    return { ended: await settled(main, started), most: inside[1]! };
  };
}

/** Waits for threads; if they are stuck, shows why, and ends them. */
async function settled(main: MainThread, started: readonly ThreadHandle[]): Promise<boolean> {
  const ended = await main.join(started);
  const stuck = findCircle(main.waits()) !== undefined;
  if (!ended) {
    await main.drawWaitGraph();
    await main.terminate(started.filter((thread) => main.isAlive(thread)));
  }
  return ended && !stuck;
}

export default lesson({
  idea: {
    en: `Thread 1 has A and wants B; thread 2 has B and wants A. Each waits for the other, for ever,
and nothing is wrong with either. Draw an arrow from each who waits to what it waits for,
and from there to who has it: a circle is a deadlock. Four cures:
- an order: all take A before B, and no circle can be;
- a timeout: who does not get the second lock in time gives the first one back, and tries
  again later (not after the same time as the other, or both will try for ever);
- an RLock, where the circle is one thread: its owner may take it again;
- one RLock under both names, A = B = new RLock(): who has A has B with it, so nobody can
  have one and wait for the other. Twenty threads that take A, B, then B, A all end; without
  it they are stuck as soon as one has B and another has A. The price: where two locks let
  two threads work apart, this one lets one in.`,
    zh: `线程一拿着 A 要 B，线程二拿着 B 要 A：互相等对方，永远等下去，而单看哪一个都没有错。
从每个等待者画一个箭头指向它要的锁，再从锁指向拿着它的线程：出现环，就是死锁。四种解法：
- 固定顺序：所有线程都先拿 A 再拿 B，就不可能成环；
- 超时：限定时间内拿不到第二把锁，就把第一把还回去，过一会儿再试（两边等的时间要不一样，
  否则会一直互相让下去）；
- 可重入锁 RLock：如果环里只有一个线程自己，它可以再次拿自己已有的锁；
- 一把 RLock 用两个名字，A = B = new RLock()：拿到 A 就等于拿到 B，谁也不可能拿着一把去等
  另一把。二十个线程先拿 A、B，再拿 B、A，全都能做完；不这样的话，只要有一个拿着 B、另一个
  拿着 A，就全卡住。代价是：两把锁时可以有两个线程各做各的，一把锁时只放一个进去。`,
  },
  code: bilingual`a.acquire(); b.acquire();                    // ${{
    en: "thread 1",
    zh: "线程一",
  }}
b.acquire(); a.acquire();                    // ${{ en: "thread 2: stuck", zh: "线程二：卡住" }}

a.acquire(); b.acquire();                    // ${{
    en: "an order: both threads",
    zh: "固定顺序：两个线程都这样",
  }}
if (!b.acquire({ timeout: 0.3 })) a.release();          // ${{ en: "a timeout", zh: "超时" }}
const lock = new RLock(); lock.acquire(); lock.acquire();   // ${{ en: "an RLock", zh: "RLock" }}
const a = new RLock(), b = a;                // ${{
    en: "one lock under both names",
    zh: "一把锁，两个名字",
  }}`,
  threads: { default: 20, min: 2, max: 20 },
  kinds: ["worker", "task"],
  threadFunctions,
  async run(runner, { threads }) {
    const stuck = !await runner.runScheduled(
      { en: "two threads: A then B, and B then A", zh: "两个线程：一个先 A 后 B，一个先 B 后 A" },
      two(["AB", "BA"]),
    );
    const own = !await runner.runScheduled(
      { en: "one thread, and its own lock", zh: "一个线程，等自己的锁" },
      (main) => again(main, new Lock()),
    );
    const reentrant = await runner.runScheduled(
      { en: "cure: an RLock", zh: "解法：RLock" },
      (main) => again(main, new RLock()),
    );
    const ordered = await runner.runScheduled(
      { en: "cure: an order, A before B", zh: "解法：固定顺序，先 A 后 B" },
      two(["AB", "AB"]),
    );
    const timed = await runner.runScheduled(
      { en: "cure: a timeout", zh: "解法：超时" },
      async (main) => {
        const a = main.register("A", new Lock());
        const b = main.register("B", new Lock());
        const [one, other] = [{ first: a, second: b }, { first: b, second: a }];
        const started = [
          await main.start("t1", threadFunctions.polite, one, { patience: 0.2 }),
          await main.start("t2", threadFunctions.polite, other, { patience: 0.5 }),
        ];
        return await settled(main, started);
      },
    );
    const options = { threads, stepSeconds: 0.001 };
    const allStuck = await runner.runScheduled(
      {
        en: `${threads} threads: A then B, and after that B then A`,
        zh: `${threads} 个线程：先 A 后 B，然后先 B 后 A`,
      },
      many(
        threads,
        (main) => ({ A: main.register("A", new Lock()), B: main.register("B", new Lock()) }),
      ),
      options,
    );
    const shared = await runner.runScheduled(
      {
        en: `cure: one RLock R under both names, A = B = R, ${threads} threads`,
        zh: `解法：一把 RLock（R）用两个名字，A = B = R，${threads} 个线程`,
      },
      many(threads, (main) => {
        const both = main.register("R", new RLock());
        return { A: both, B: both };
      }),
      // All tasks of an isolate are one owner of an RLock.
      { ...options, kind: "worker" },
    );
    const cured = reentrant && ordered && timed && shared.ended && shared.most === 1;
    return {
      ok: stuck && own && !allStuck.ended && cured,
      summary: {
        en: `two threads, and one alone, ${stuck && own ? "got stuck" : "DID NOT get stuck"}; ` +
          `an RLock ${cures(reentrant)}, an order ${cures(ordered)}, a timeout ${cures(timed)}; ` +
          `${threads} threads ${
            allStuck.ended ? "DID NOT get stuck" : "got stuck"
          }, and with one ` +
          `RLock under both names ${shared.ended ? "all ended" : "DID NOT end"}, ` +
          `${shared.most} at a time`,
        zh: `两个线程互相卡住，一个线程卡住自己：${stuck && own ? "卡住了" : "没有卡住"}；` +
          `RLock ${frees(reentrant)}，固定顺序${frees(ordered)}，超时${frees(timed)}；` +
          `${threads} 个线程${
            allStuck.ended ? "没有卡住" : "全卡住了"
          }，换成一把两个名字的 RLock ` +
          `${shared.ended ? "就全部做完了" : "也没有全部做完"}，每次 ${shared.most} 个`,
      },
    };
  },
});

async function again(main: MainThread, lock: Lock | RLock): Promise<boolean> {
  const props = { lock: main.register("L", lock) };
  return await settled(main, [await main.start("t1", threadFunctions.twice, props, undefined)]);
}

function cures(is: boolean): string {
  return is ? "cured it" : "DID NOT cure it";
}

function frees(is: boolean): string {
  return is ? "能解开" : "没能解开";
}
