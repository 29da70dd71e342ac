/** `deadlock`: two threads, two locks, each takes first what the other takes second; and the cures. */
import { Lock, RLock } from "../sync/mod.ts";
import type { Agent } from "./agent.ts";
import { circle } from "./graph.ts";
import { lesson } from "./lesson.ts";
import type { Prop } from "./props.ts";
import type { Main } from "./stage.ts";

interface Two {
  readonly first: Prop<Lock>;
  readonly second: Prop<Lock>;
}

const think = 0.1;

const roles = {
  async stubborn(me: Agent, { first, second }: Two) {
    await me.acquire(first);
    await me.sleeps(think);
    await me.acquire(second);
    await me.does("has both");
    await me.release(second);
    await me.release(first);
  },
  async polite(me: Agent, { first, second }: Two, { patience }: { readonly patience: number }) {
    for (let tries = 1;; tries++) {
      await me.acquire(first);
      await me.sleeps(think);
      if (await me.acquire(second, { timeout: patience })) {
        await me.does("has both");
        await me.release(second);
        await me.release(first);
        return tries;
      }
      await me.release(first);
      await me.sleeps(patience);
    }
  },
  async twice(me: Agent, { lock }: { readonly lock: Prop<Lock | RLock> }) {
    await me.acquire(lock);
    await me.does("calls a function that takes the same lock");
    await me.acquire(lock);
    await me.release(lock);
    await me.release(lock);
  },
};

/** Two threads, which take A and B in the order that is given for each. */
function two(orders: readonly [string, string]) {
  return async (main: Main) => {
    const locks = { A: main.prop("A", new Lock()), B: main.prop("B", new Lock()) };
    const started = [];
    for (const [i, [first, second]] of orders.entries()) {
      const props = { first: locks[first as "A" | "B"], second: locks[second as "A" | "B"] };
      started.push(await main.start(`t${i + 1}`, roles.stubborn, props, undefined));
    }
    return await settled(main, started);
  };
}

/** Waits for threads; if they are stuck, shows why, and ends them. */
async function settled(main: Main, started: Parameters<Main["join"]>[0]): Promise<boolean> {
  const ended = await main.join(started);
  const stuck = circle(main.waits()) !== undefined;
  if (!ended) {
    await main.draws();
    await main.cut(started);
  }
  return ended && !stuck;
}

export default lesson({
  idea: {
    en: `Thread 1 has A and wants B; thread 2 has B and wants A. Each waits for the other, for ever,
and nothing is wrong with either. Draw an arrow from each who waits to what it waits for,
and from there to who has it: a circle is a deadlock. Three cures:
- an order: all take A before B, and no circle can be;
- a timeout: who does not get the second lock in time gives the first one back, and tries
  again later (not after the same time as the other, or both will try for ever);
- an RLock, where the circle is one thread: its owner may take it again.`,
    zh: `线程一拿着 A 要 B，线程二拿着 B 要 A：互相等对方，永远等下去，而单看哪一个都没有错。
从每个等待者画一个箭头指向它要的锁，再从锁指向拿着它的线程：出现环，就是死锁。三种解法：
- 固定顺序：所有线程都先拿 A 再拿 B，就不可能成环；
- 超时：限定时间内拿不到第二把锁，就把第一把还回去，过一会儿再试（两边等的时间要不一样，
  否则会一直互相让下去）；
- 可重入锁 RLock：如果环里只有一个线程自己，它可以再次拿自己已有的锁。`,
  },
  code: `a.acquire(); b.acquire();                    // thread 1
b.acquire(); a.acquire();                    // thread 2: stuck

a.acquire(); b.acquire();                    // an order: both threads
if (!b.acquire({ timeout: 0.3 })) a.release();          // a timeout
const lock = new RLock(); lock.acquire(); lock.acquire();   // an RLock`,
  kinds: ["worker", "task"],
  roles,
  async play(stage) {
    const stuck = !await stage.act(
      { en: "A then B, and B then A", zh: "一个先 A 后 B，一个先 B 后 A" },
      two(["AB", "BA"]),
    );
    const own = !await stage.act(
      { en: "one thread, and its own lock", zh: "一个线程，等自己的锁" },
      (main) => again(main, new Lock()),
    );
    const reentrant = await stage.act(
      { en: "cure: an RLock", zh: "解法：RLock" },
      (main) => again(main, new RLock()),
    );
    const ordered = await stage.act(
      { en: "cure: an order, A before B", zh: "解法：固定顺序，先 A 后 B" },
      two(["AB", "AB"]),
    );
    const timed = await stage.act({ en: "cure: a timeout", zh: "解法：超时" }, async (main) => {
      const a = main.prop("A", new Lock());
      const b = main.prop("B", new Lock());
      const [one, other] = [{ first: a, second: b }, { first: b, second: a }];
      const started = [
        await main.start("t1", roles.polite, one, { patience: 0.2 }),
        await main.start("t2", roles.polite, other, { patience: 0.5 }),
      ];
      return await settled(main, started);
    });
    return {
      ok: stuck && own && reentrant && ordered && timed,
      said: {
        en: `stuck: ${stuck}, and alone: ${own}; ` +
          `cured by an RLock: ${reentrant}, by an order: ${ordered}, by a timeout: ${timed}`,
        zh: `互相卡住：${yes(stuck)}，自己卡住自己：${yes(own)}；` +
          `RLock 解开：${yes(reentrant)}，固定顺序解开：${yes(ordered)}，超时解开：${yes(timed)}`,
      },
    };
  },
});

async function again(main: Main, lock: Lock | RLock): Promise<boolean> {
  const props = { lock: main.prop("L", lock) };
  return await settled(main, [await main.start("t1", roles.twice, props, undefined)]);
}

function yes(is: boolean): string {
  return is ? "是" : "否";
}
