/**
 * `deadlock`: threads that take the same two locks in different orders, and four solutions. First two
 * threads; then twenty that take A and B, and later B and A; then the same with one reentrant lock
 * under both names.
 */
import { Lock, RLock } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import type { MainThread, ThreadHandle } from "../runner/main_thread.ts";
import type { Labeled } from "../runner/primitives.ts";
import { findCircle } from "../runner/wait_graph.ts";
import { bilingual } from "../text.ts";

/** The locks of a thread, in the order in which it takes them. */
interface OrderedLocks {
  readonly first: Labeled<Lock>;
  readonly second: Labeled<Lock>;
}

type LockPair = Readonly<Record<"A" | "B", Labeled<Lock | RLock>>>;

/** The time between the first and the second lock. */
const pauseSeconds = 0.1;
const hasBoth = bilingual`has both || 两把都拿到了`;

const functions = {
  async waitForever(thread, { first, second }: OrderedLocks) {
    await thread.acquire(first);
    await thread.sleep(pauseSeconds);
    await thread.acquire(second);
    await thread.step(hasBoth);
    await thread.release(second);
    await thread.release(first);
  },
  async giveUp(thread, { first, second }: OrderedLocks, { timeout }: { readonly timeout: number }) {
    for (;;) {
      await thread.acquire(first);
      await thread.sleep(pauseSeconds);
      if (await thread.acquire(second, { timeout })) {
        await thread.step(hasBoth);
        await thread.release(second);
        await thread.release(first);
        return;
      }
      await thread.release(first);
      await thread.sleep(timeout);
    }
  },
  async takeTwice(thread, { lock }: { lock: Labeled<Lock | RLock> }) {
    await thread.acquire(lock);
    await thread.step(bilingual`calls a function that takes the same lock ||
      调用一个也要拿这把锁的函数`);
    await thread.acquire(lock);
    await thread.release(lock);
    await thread.release(lock);
  },
  /**
   * Takes A and B, and later B and, after a sleep, A.
   *
   * @param counts the numbers of threads that have both locks: the current and the highest one
   */
  async bothOrders(thread, { A, B }: LockPair, counts: Int32Array) {
    const orders = [[A, B, 0], [B, A, pauseSeconds]] as const;
    for (const [first, second, pause] of orders) {
      await thread.acquire(first);
      if (pause > 0) await thread.sleep(pause);
      await thread.acquire(second);
      counts[1] = Math.max(counts[1]!, Atomics.add(counts, 0, 1) + 1);
      await thread.step(hasBoth);
      Atomics.sub(counts, 0, 1);
      await thread.release(second);
      await thread.release(first);
    }
  },
} satisfies Lesson["functions"];

/** Runs two threads that take A and B in the given orders. @returns whether both ended */
function runTwo(orders: readonly (readonly ["A" | "B", "A" | "B"])[]) {
  return async (main: MainThread) => {
    const locks = registerLocks(main);
    const started: ThreadHandle[] = [];
    for (const [i, [first, second]] of orders.entries()) {
      const ordered = { first: locks[first], second: locks[second] };
      started.push(await main.start(`t${i + 1}`, functions.waitForever, ordered));
    }
    return await joinOrTerminate(main, started);
  };
}

function registerLocks(main: MainThread) {
  return { A: main.register("A", new Lock()), B: main.register("B", new Lock()) };
}

/**
 * Runs threads that take A and B, and later B and A.
 *
 * @returns whether all ended, and the highest number of threads that had both locks at once
 */
function runMany(threads: number, makeLocks: (main: MainThread) => LockPair) {
  return async (main: MainThread) => {
    const locks = makeLocks(main);
    const counts = new Int32Array(new SharedArrayBuffer(8));
    const started = await main.startEach(threads, "t", functions.bothOrders, locks, () => counts);
    return { ended: await joinOrTerminate(main, started), maxInside: counts[1]! };
  };
}

/** Joins threads; if they are stuck, draws the wait-for graph and terminates them. */
async function joinOrTerminate(
  main: MainThread,
  started: readonly ThreadHandle[],
): Promise<boolean> {
  const ended = await main.join(started);
  const stuck = findCircle(main.waits()) !== undefined;
  if (!ended) {
    await main.drawWaitGraph();
    await main.terminate(started.filter((thread) => main.isAlive(thread)));
  }
  return ended && !stuck;
}

export default {
  idea: {
    en: `Thread 1 holds A and wants B; thread 2 holds B and wants A. Each waits for the other
forever, although neither does anything wrong by itself. Draw an arrow from each waiting thread
to the lock it wants, and from each lock to its holder: a circle is a deadlock. Four solutions:
- an order: if all threads take A before B, there can be no circle;
- a timeout: a thread that does not get the second lock in time releases the first one, and
  tries again later (each after a different time, or both may fail again and again);
- an RLock, if the circle is a single thread: its owner may take it again;
- one RLock under both names, A = B = new RLock(): its holder has both, so no thread can hold
  one and wait for the other. Twenty threads that take A, B and then B, A all end. With two
  locks they are stuck as soon as one holds B and another holds A. The price: two locks let two
  threads work at once on different things, this one lets in one thread.`,
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
  code: `a.acquire(); b.acquire();                    // [[thread 1 || 线程一]]
b.acquire(); a.acquire();                    // [[thread 2: stuck || 线程二：卡住]]

a.acquire(); b.acquire();                    // [[an order: in both threads || 固定顺序：两个线程都这样]]
if (!b.acquire({ timeout: 0.3 })) a.release();          // [[a timeout || 超时]]
const lock = new RLock(); lock.acquire(); lock.acquire();   // [[an RLock || RLock]]
const a = new RLock(), b = a;                // [[one lock under both names || 一把锁，两个名字]]`,
  threads: { default: 20, min: 2, max: 20 },
  kinds: ["worker", "task"],
  functions,
  async run(runner, { threads }) {
    const stuck = !await runner.runScheduled(
      bilingual`two threads: A then B, and B then A || 两个线程：一个先 A 后 B，一个先 B 后 A`,
      runTwo([["A", "B"], ["B", "A"]]),
    );
    const own = !await runner.runScheduled(
      bilingual`one thread that takes its own lock again || 一个线程，等自己的锁`,
      (main) => takeTwice(main, new Lock()),
    );
    const reentrant = await runner.runScheduled(
      bilingual`solution: an RLock || 解法：RLock`,
      (main) => takeTwice(main, new RLock()),
    );
    const ordered = await runner.runScheduled(
      bilingual`solution: an order, A before B || 解法：固定顺序，先 A 后 B`,
      runTwo([["A", "B"], ["A", "B"]]),
    );
    const timed = await runner.runScheduled(
      bilingual`solution: a timeout || 解法：超时`,
      async (main) => {
        const { A, B } = registerLocks(main);
        const started = [
          await main.start("t1", functions.giveUp, { first: A, second: B }, { timeout: 0.2 }),
          await main.start("t2", functions.giveUp, { first: B, second: A }, { timeout: 0.5 }),
        ];
        return await joinOrTerminate(main, started);
      },
    );
    const options = { threads, stepSeconds: 0.001 };
    const allStuck = await runner.runScheduled(
      bilingual`${threads} threads: A then B, and later B then A ||
        ${threads} 个线程：先 A 后 B，然后先 B 后 A`,
      runMany(threads, registerLocks),
      options,
    );
    const shared = await runner.runScheduled(
      bilingual`solution: one RLock R under both names, A = B = R, ${threads} threads ||
        解法：一把 RLock（R）用两个名字，A = B = R，${threads} 个线程`,
      runMany(threads, (main) => {
        const both = main.register("R", new RLock());
        return { A: both, B: both };
      }),
      // All tasks of an isolate are one owner of an RLock.
      { ...options, kind: "worker" },
    );
    const solved = reentrant && ordered && timed && shared.ended && shared.maxInside === 1;
    return {
      ok: stuck && own && !allStuck.ended && solved,
      summary: bilingual`two threads, and one alone,
        ${stuck && own ? "got stuck" : "DID NOT get stuck"}; an RLock ${helps(reentrant)}, an
        order ${helps(ordered)}, a timeout ${helps(timed)}; ${threads} threads
        ${allStuck.ended ? "DID NOT get stuck" : "got stuck"}; with one RLock under both names
        ${shared.ended ? "all ended" : "DID NOT end"}, ${shared.maxInside} at a time ||
        两个线程互相卡住，一个线程卡住自己：${stuck && own ? "卡住了" : "没有卡住"}；
        RLock ${helpsZh(reentrant)}，固定顺序${helpsZh(ordered)}，超时${helpsZh(timed)}；
        ${threads} 个线程${allStuck.ended ? "没有卡住" : "全卡住了"}，
        换成一把两个名字的 RLock ${shared.ended ? "就全部做完了" : "也没有全部做完"}，
        每次 ${shared.maxInside} 个`,
    };
  },
} satisfies Lesson;

async function takeTwice(main: MainThread, lock: Lock | RLock): Promise<boolean> {
  const locks = { lock: main.register("L", lock) };
  const thread = await main.start("t1", functions.takeTwice, locks);
  return await joinOrTerminate(main, [thread]);
}

function helps(ended: boolean): string {
  return ended ? "helps" : "DOES NOT help";
}

function helpsZh(ended: boolean): string {
  return ended ? "能解开" : "没能解开";
}
