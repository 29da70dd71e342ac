/**
 * `async`: tasks of one isolate switch by themselves where they wait: one of a second and one of
 * three end after three. And what blocking does to that. It runs in a worker, so that the program
 * can be interrupted meanwhile.
 */
import { lesson } from "./lesson.ts";
import type { Scene } from "./stage.ts";

/** A second of the lesson takes so many of the clock. */
const scale = 0.25;

const tasks = [{ name: "long", takes: 3 }, { name: "short", takes: 1 }] as const;

interface Args {
  /** Do they wait without blocking? */
  readonly politely: boolean;
  readonly second: number;
}
interface News {
  readonly lane: string;
  readonly what: "sleeps" | "ends";
}

const errands = {
  /** Runs the tasks together. @returns how long it took, in ms */
  async together({ politely, second }: Args, tell: (news: unknown) => void): Promise<number> {
    const began = performance.now();
    await Promise.all(tasks.map(async ({ name, takes }) => {
      tell({ lane: name, what: "sleeps" });
      if (politely) await new Promise((resolve) => setTimeout(resolve, takes * second));
      else block(takes * second);
      tell({ lane: name, what: "ends" });
      await Promise.resolve();
    }));
    return performance.now() - began;
  },
};

/** Sleeps as code that knows nothing of tasks does. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Shows what it is told, at the times that the tasks' lengths make. @returns in which order */
function showing(scene: Scene, politely: boolean, order: string[]): (news: unknown) => void {
  let blocked = 0;
  for (const { name } of tasks) {
    scene.tells({ t: 0, lane: name, what: "starts" });
    scene.tells({ t: 0, lane: name, what: "waits", of: "the loop" });
  }
  return (news) => {
    const { lane, what } = news as News;
    const takes = tasks.find(({ name }) => name === lane)!.takes;
    order.push(`${lane} ${what === "sleeps" ? "begins" : "ends"}`);
    if (what === "sleeps") {
      const text = `for ${takes} s, ${politely ? "awaited" : "blocking all"}`;
      scene.tells({ t: blocked, lane, what, text });
      if (!politely) blocked += takes;
      return;
    }
    scene.tells({ t: politely ? takes : blocked, lane, what });
  };
}

export default lesson({
  idea: {
    en: `Async tasks are coroutines that switch by themselves, at every await that has to wait. One
thread runs all of them: while a task waits for its second, another runs, so a task of one
second and one of three end after three, not four. But the switch is at await alone. A call
that blocks (a long computation, a sleep or read of the old kind) stops all tasks with it, and
the times add up to four. Such work belongs into a thread.`,
    zh: `异步任务是会自己切换的协程：每遇到一个需要等待的 await 就让出来。一个线程跑所有任务：一个
在等它的一秒，另一个就跑，所以一秒和三秒的两个任务三秒就都结束了，而不是四秒。但切换只发生在
await 处。阻塞的调用（长时间的计算、老式的 sleep 或读取）会让所有任务一起停住，时间就加到了
四秒。这种活儿应该交给线程。`,
  },
  code: `await Promise.all([task(1), task(3)]);       // ends after 3 s

async function task(seconds) { await sleep(seconds); }
async function rude(seconds) { sleepBlocking(seconds); }     // 1 + 3 = 4 s, for everybody`,
  errands,
  async play(stage, { speed }) {
    const second = 1000 * scale / speed;
    const orders: string[] = [];
    const times: number[] = [];
    for (const politely of [true, false]) {
      const title = politely
        ? { en: "1 s and 3 s, awaited", zh: "一秒和三秒，用 await" }
        : { en: "1 s and 3 s, blocking", zh: "一秒和三秒，阻塞" };
      const order: string[] = [];
      times.push(
        await stage.live(title, (scene) =>
          stage.errand(
            errands.together,
            { politely, second },
            showing(scene, politely, order),
          )),
      );
      orders.push(order.join(", "));
    }
    const [together, apart] = orders;
    return {
      ok: together === "long begins, short begins, short ends, long ends" &&
        apart === "long begins, long ends, short begins, short ends",
      said: {
        en: "awaited they overlap, and end after 3 s; blocking they run one by one, and take 4 s",
        zh: "用 await 时两者重叠，3 秒结束；阻塞时一个接一个，要 4 秒",
      },
      measured: { "awaited, s": times[0]! / second, "blocking, s": times[1]! / second },
    };
  },
});
