/**
 * `async`: tasks of one isolate switch by themselves where they wait: one of a second and one of
 * three end after three. Tasks that block, or that never wait, don't switch; Python's monkey
 * patching made the former switch. All of it runs in a worker, so that the program can be
 * interrupted meanwhile.
 */
import { lesson } from "../lesson.ts";
import type { Runner, Trace } from "../runner/runner.ts";
import { bilingual, type Text } from "../text.ts";

/** A second of the lesson takes so many of the clock. */
const scale = 0.25;
/** The least step in ms, so that sleeps end in their order on a busy machine, too. */
const least = 10;

const long = { id: "long", name: { en: "long", zh: "长任务" }, takes: 3 } as const;
const short = { id: "short", name: { en: "short", zh: "短任务" }, takes: 1 } as const;
const tasks = [long, short];
/** The number of steps of a task that never waits. */
const steps = 2;

const loop = { en: "the loop", zh: "事件循环" };

interface Args {
  /** Do they wait without blocking? */
  readonly politely: boolean;
  readonly second: number;
}
interface News {
  readonly id: string;
  readonly what: "begins" | "ends" | "step";
}

const jobs = {
  /** Runs the tasks together. @returns how long it took, in ms */
  async together({ politely, second }: Args, send: (news: unknown) => void): Promise<number> {
    const began = performance.now();
    await Promise.all(tasks.map(async ({ id, takes }) => {
      send({ id, what: "begins" });
      if (politely) await politeSleep(takes * second);
      else block(takes * second);
      send({ id, what: "ends" });
    }));
    return performance.now() - began;
  },
  /** Runs tasks that are async but never wait. */
  async busy(_: undefined, send: (news: unknown) => void): Promise<void> {
    // deno-lint-ignore require-await -- that is the point
    const task = async (id: string) => {
      for (let i = 0; i < steps; i++) send({ id, what: "step" });
      send({ id, what: "ends" });
    };
    await Promise.all(tasks.map(({ id }) => task(id)));
  },
  /**
   * Replaces a sleep that blocks by one that switches, as gevent's monkey patching does. Code that
   * looks the function up later gets the new one; code that has stored it before keeps the old one.
   */
  async patched(
    { early, second }: { early: boolean; second: number },
    send: (news: unknown) => void,
  ) {
    const time: { sleep(ms: number): unknown } = { sleep: block };
    const taken = time.sleep; // as `from time import sleep` does
    time.sleep = politeSleep;
    await Promise.all(tasks.map(async ({ id, takes }) => {
      send({ id, what: "begins" });
      const waiting = early ? taken(takes * second) : time.sleep(takes * second);
      // A blocking sleep has ended here.
      if (waiting !== undefined) await waiting;
      send({ id, what: "ends" });
    }));
  },
};

/** Sleeps as code without knowledge of tasks does. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function politeSleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Shows the messages of the tasks, at the times of their sleeps. @returns their order */
function showing(trace: Trace, politely: boolean, order: string[]): (news: unknown) => void {
  let blocked = 0;
  for (const { name } of tasks) {
    trace.event({ t: 0, lane: name, what: "starts" });
    trace.event({ t: 0, lane: name, what: "waits", of: loop });
  }
  return (news) => {
    const { id, what } = news as News;
    const { name: lane, takes } = tasks.find((task) => task.id === id)!;
    order.push(`${id} ${what}`);
    if (what === "begins") {
      const text = politely
        ? { en: `for ${takes} s, awaited`, zh: `${takes} 秒，用 await` }
        : { en: `for ${takes} s, blocking all`, zh: `${takes} 秒，阻塞所有任务` };
      trace.event({ t: blocked, lane, what: "sleeps", text });
      if (!politely) blocked += takes;
      return;
    }
    trace.event({ t: politely ? takes : blocked, lane, what: "ends" });
  };
}

export default lesson({
  idea: {
    en: `Async tasks are coroutines that switch by themselves, at every await that has to wait. One
thread runs all of them: while a task waits for its second, another runs, so a task of one
second and one of three end after three, not four. But the switch is at await alone. A call
that blocks (a long computation, a sleep or read of the old kind) stops all tasks with it, and
the times add up to four. Such work belongs into a thread. And a task that never waits never
switches: two of them run one after the other, however async they are called.
In Python, gevent made old code switch by monkey patching: patch_all() replaces the blocking
functions of the library (sleep, sockets) by ones that switch. It has to come first, before
anything imports them: who has written "from time import sleep" keeps the old function, and
blocks on. Here all of the runtime's own waits are async, and nothing needs a patch.`,
    zh: `异步任务是会自己切换的协程：每遇到一个需要等待的 await 就让出来。一个线程跑所有任务：一个
在等它的一秒，另一个就跑，所以一秒和三秒的两个任务三秒就都结束了，而不是四秒。但切换只发生在
await 处。阻塞的调用（长时间的计算、老式的 sleep 或读取）会让所有任务一起停住，时间就加到了
四秒。这种活儿应该交给线程。从不等待的任务也从不切换：两个这样的任务只能一个跑完再跑另一个，
写成 async 也没用。
在 Python 里，gevent 靠“猴子补丁”让旧代码也能切换：patch_all() 把标准库里会阻塞的函数（sleep、
套接字等）换成会切换的。它必须放在最前面，在任何人导入这些函数之前：谁已经写了
from time import sleep，手里就还是旧函数，照样阻塞。这里的运行环境自己的等待全是异步的，不需要
补丁。`,
  },
  code: bilingual`await Promise.all([task(1), task(3)]);       // ${{
    en: "ends after 3 s",
    zh: "3 秒结束",
  }}

async function task(seconds) { await sleep(seconds); }
async function rude(seconds) { sleepBlocking(seconds); }     // ${{
    en: "1 + 3 = 4 s, for everybody",
    zh: "1 + 3 = 4 秒，大家都等",
  }}
async function busy() { step(); step(); }                    // ${{
    en: "no await: no switch",
    zh: "没有 await：不切换",
  }}

const sleep = time.sleep;                    // ${{
    en: "taken before the patch: still blocks",
    zh: "打补丁之前取走的：照样阻塞",
  }}
time.sleep = politeSleep;                    // ${{ en: "the patch", zh: "补丁" }}
await time.sleep(1);                         // ${{
    en: "looked up after it: switches",
    zh: "打补丁之后才查找：会切换",
  }}`,
  jobs,
  async run(runner, { speed }) {
    const second = Math.max(least, 1000 * scale / speed);
    const awaited = await sleeping(runner, second, true);
    const blocking = await sleeping(runner, second, false);
    const busy = await neverWaiting(runner);
    const before = await patching(runner, second, true);
    const after = await patching(runner, second, false);
    const overlap = "long begins, short begins, short ends, long ends";
    const inTurn = "long begins, long ends, short begins, short ends";
    return {
      ok: awaited.order === overlap && blocking.order === inTurn &&
        busy === "long step, long step, long ends, short step, short step, short ends" &&
        before === inTurn && after === overlap,
      summary: {
        en:
          "awaited they overlap, and end after 3 s of the lesson; blocking they run one by one, " +
          "and take 4; tasks that never wait never switch; a patch helps who looks the function up " +
          "after it",
        zh: "用 await 时两者重叠，课里的 3 秒结束；阻塞时一个接一个，要 4 秒；从不等待的任务从不" +
          "切换；补丁只对打补丁之后才查找函数的代码有用",
      },
      measured: [
        { name: { en: "awaited, ms", zh: "用 await，毫秒" }, value: awaited.ms },
        { name: { en: "blocking, ms", zh: "阻塞，毫秒" }, value: blocking.ms },
      ],
    };
  },
});

async function sleeping(runner: Runner, second: number, politely: boolean) {
  const how = politely ? { en: "awaited", zh: "用 await" } : { en: "blocking", zh: "阻塞" };
  const title = {
    en: `1 s and 3 s, ${how.en}; a second of the lesson takes ${second} ms`,
    zh: `一秒和三秒，${how.zh}；课里的一秒实际是 ${second} 毫秒`,
  };
  const order: string[] = [];
  const ms = await runner.runRealTime(
    title,
    (trace) =>
      runner.runInWorker(jobs.together, { politely, second }, showing(trace, politely, order)),
  );
  return { ms, order: order.join(", ") };
}

async function neverWaiting(runner: Runner): Promise<string> {
  const order: string[] = [];
  await runner.runRealTime({ en: "tasks that never wait", zh: "从不等待的任务" }, async (trace) => {
    let t = 0;
    const each = (id: string) => tasks.find((task) => task.id === id)!.name;
    for (const { name: lane } of tasks) {
      trace.event({ t, lane, what: "starts" });
      trace.event({ t, lane, what: "waits", of: loop });
    }
    const counts: Record<string, number> = {};
    await runner.runInWorker(jobs.busy, undefined, (news) => {
      const { id, what } = news as News;
      order.push(`${id} ${what}`);
      const lane = each(id);
      if (what === "ends") return trace.event({ t, lane, what });
      const n = counts[id] = (counts[id] ?? 0) + 1;
      const text: Text = { en: `step ${n}, without an await`, zh: `第 ${n} 步，没有 await` };
      trace.event({ t, lane, what: "runs", text });
      t += 0.1;
    });
  });
  return order.join(", ");
}

async function patching(runner: Runner, second: number, early: boolean): Promise<string> {
  const title = early
    ? {
      en: "a patch of sleep, for code that took the old one before",
      zh: "给 sleep 打补丁：之前已取走旧函数的",
    }
    : {
      en: "a patch of sleep, for code that looks it up after",
      zh: "给 sleep 打补丁：之后才查找的",
    };
  const order: string[] = [];
  await runner.runRealTime(
    title,
    (trace) => runner.runInWorker(jobs.patched, { early, second }, showing(trace, !early, order)),
  );
  return order.join(", ");
}
