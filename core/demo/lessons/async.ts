/**
 * `async`: tasks of one isolate switch where they wait, so a task of one second and one of three seconds
 * take three seconds together. Tasks that block, or that never wait, do not switch; Python's monkey
 * patching lets blocking ones switch. All tasks run in a worker, so that the user can interrupt the
 * program.
 */
import type { Lesson } from "../lesson.ts";
import type { Runner, Trace } from "../runner/runner.ts";
import { bilingual, type Text } from "../text.ts";

/** The real time of a second of the lesson. */
const defaultMsPerSecond = 250;
/** The least real time of a second, at high speeds: sleeps must end in order even on a busy machine. */
const minMsPerSecond = 10;

const long = { id: "long", name: bilingual`long || 长任务`, seconds: 3 } as const;
const short = { id: "short", name: bilingual`short || 短任务`, seconds: 1 } as const;
const tasks = [long, short];
/** The number of steps of a task that never waits. */
const busySteps = 2;

const loop = bilingual`the loop || 事件循环`;

interface SleepArgs {
  /** Whether the tasks block in their sleeps. */
  readonly blocking: boolean;
  readonly msPerSecond: number;
}
/** A message of a task. */
interface TaskEvent {
  readonly id: string;
  readonly what: "begins" | "ends" | "step";
}

const jobs = {
  /** Runs the tasks together. @returns the time in ms */
  async together(
    { blocking, msPerSecond }: SleepArgs,
    send: (message: unknown) => void,
  ): Promise<number> {
    const began = performance.now();
    await Promise.all(tasks.map(async ({ id, seconds }) => {
      send({ id, what: "begins" });
      if (blocking) block(seconds * msPerSecond);
      else await sleep(seconds * msPerSecond);
      send({ id, what: "ends" });
    }));
    return performance.now() - began;
  },
  /** Runs tasks that are async but never wait. */
  async busy(_: undefined, send: (message: unknown) => void): Promise<void> {
    // deno-lint-ignore require-await -- the lesson shows a task without await
    const task = async (id: string) => {
      for (let i = 0; i < busySteps; i++) send({ id, what: "step" });
      send({ id, what: "ends" });
    };
    await Promise.all(tasks.map(({ id }) => task(id)));
  },
  /**
   * Replaces a sleep that blocks by one that switches, as gevent's monkey patching does. Code that
   * looks up the function afterwards gets the new one; code that stored it before keeps the old one.
   */
  async patched(
    { stored, msPerSecond }: { stored: boolean; msPerSecond: number },
    send: (message: unknown) => void,
  ) {
    const time: { sleep(ms: number): unknown } = { sleep: block };
    const storedSleep = time.sleep; // as `from time import sleep` does
    time.sleep = sleep;
    await Promise.all(tasks.map(async ({ id, seconds }) => {
      send({ id, what: "begins" });
      const pending = (stored ? storedSleep : time.sleep)(seconds * msPerSecond);
      if (pending !== undefined) await pending; // an await would switch after a blocking sleep, too
      send({ id, what: "ends" });
    }));
  },
};

/** Sleeps, and blocks all tasks of the isolate. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Returns a function that shows the tasks' messages, at their nominal times, and adds them to `order`. */
function showTasks(trace: Trace, blocking: boolean, order: string[]): (message: unknown) => void {
  let blockedUntil = 0;
  for (const { name } of tasks) {
    trace.event({ t: 0, lane: name, what: "starts" });
    trace.event({ t: 0, lane: name, what: "waits", of: loop });
  }
  return (message) => {
    const { id, what } = message as TaskEvent;
    const { name: lane, seconds } = tasks.find((task) => task.id === id)!;
    order.push(`${id} ${what}`);
    if (what === "begins") {
      const text = blocking
        ? bilingual`for ${seconds} s, blocking all tasks || ${seconds} 秒，阻塞所有任务`
        : bilingual`for ${seconds} s, with await || ${seconds} 秒，用 await`;
      trace.event({ t: blockedUntil, lane, what: "sleeps", text });
      if (blocking) blockedUntil += seconds;
      return;
    }
    trace.event({ t: blocking ? blockedUntil : seconds, lane, what: "ends" });
  };
}

export default {
  idea: {
    en: `Async tasks are coroutines that switch by themselves, at each await that has to wait. One
thread runs all of them: while one task waits, another runs, so a task of one second and one of
three end after three seconds, not four. But they switch only at an await. A call that blocks
(a long computation, a blocking sleep or read) stops all tasks, and the times add up to four
seconds. Such work belongs in a thread. A task that never waits never switches: two of them run
one after the other, although they are async.
In Python, gevent made old code switch by monkey patching: patch_all() replaces the blocking
functions of the library (sleep, sockets) by ones that switch. It must run before any code
imports them: after "from time import sleep", a module keeps the old function, and still
blocks. Here all waits of the runtime are async, so no patch is needed.`,
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
  code: `await Promise.all([task(1), task(3)]);       // [[ends after 3 s || 3 秒结束]]

async function task(seconds) { await sleep(seconds); }
async function block(seconds) { sleepBlocking(seconds); }    // [[1 + 3 = 4 s, for all tasks || 1 + 3 = 4 秒，大家都等]]
async function busy() { step(); step(); }                    // [[no await: no switch || 没有 await：不切换]]

const sleep = time.sleep;                    // [[stored before the patch: still blocks || 打补丁之前取走的：照样阻塞]]
time.sleep = asyncSleep;                     // [[the patch || 补丁]]
await time.sleep(1);                         // [[looked up after the patch: switches || 打补丁之后才查找：会切换]]`,
  jobs,
  async run(runner, { speed }) {
    const msPerSecond = Math.max(minMsPerSecond, defaultMsPerSecond / speed);
    const awaited = await sleepTogether(runner, msPerSecond, false);
    const blocking = await sleepTogether(runner, msPerSecond, true);
    const busy = await neverWait(runner);
    const before = await runPatched(runner, msPerSecond, true);
    const after = await runPatched(runner, msPerSecond, false);
    const overlap = "long begins, short begins, short ends, long ends";
    const inTurn = "long begins, long ends, short begins, short ends";
    return {
      ok: awaited.order === overlap && blocking.order === inTurn &&
        busy === "long step, long step, long ends, short step, short step, short ends" &&
        before === inTurn && after === overlap,
      summary: bilingual`with await the sleeps overlap, and end after 3 s of the lesson; blocking
        sleeps run one by one, and take 4 s; tasks that never wait never switch; a patch helps
        only code that looks up the function afterwards ||
        用 await 时两者重叠，课里的 3 秒结束；阻塞时一个接一个，要 4 秒；从不等待的任务从不切换；
        补丁只对打补丁之后才查找函数的代码有用`,
      measured: [
        { name: bilingual`awaited, ms || 用 await，毫秒`, value: awaited.ms },
        { name: bilingual`blocking, ms || 阻塞，毫秒`, value: blocking.ms },
      ],
    };
  },
} satisfies Lesson;

async function sleepTogether(runner: Runner, msPerSecond: number, blocking: boolean) {
  const how = blocking ? bilingual`blocking || 阻塞` : bilingual`with await || 用 await`;
  const title = bilingual`1 s and 3 s, ${how.en}; a second of the lesson takes ${msPerSecond} ms ||
    一秒和三秒，${how.zh}；课里的一秒实际是 ${msPerSecond} 毫秒`;
  const order: string[] = [];
  const ms = await runner.runRealTime(title, async (trace) => {
    const show = showTasks(trace, blocking, order);
    return await runner.runInWorker(jobs.together, { blocking, msPerSecond }, show);
  });
  return { ms, order: order.join(", ") };
}

async function neverWait(runner: Runner): Promise<string> {
  const order: string[] = [];
  await runner.runRealTime(bilingual`tasks that never wait || 从不等待的任务`, async (trace) => {
    let t = 0;
    for (const { name: lane } of tasks) {
      trace.event({ t, lane, what: "starts" });
      trace.event({ t, lane, what: "waits", of: loop });
    }
    const counts: Record<string, number> = {};
    await runner.runInWorker(jobs.busy, undefined, (message) => {
      const { id, what } = message as TaskEvent;
      order.push(`${id} ${what}`);
      const lane = tasks.find((task) => task.id === id)!.name;
      if (what === "ends") return trace.event({ t, lane, what });
      const n = counts[id] = (counts[id] ?? 0) + 1;
      const text: Text = bilingual`step ${n}, without an await || 第 ${n} 步，没有 await`;
      trace.event({ t, lane, what: "runs", text });
      t += 0.1;
    });
  });
  return order.join(", ");
}

async function runPatched(runner: Runner, msPerSecond: number, stored: boolean): Promise<string> {
  const title = stored
    ? {
      en: "a patch of sleep, for code that stored the old one",
      zh: "给 sleep 打补丁：之前已取走旧函数的",
    }
    : bilingual`a patch of sleep, for code that looks it up afterwards ||
      给 sleep 打补丁：之后才查找的`;
  const order: string[] = [];
  await runner.runRealTime(title, async (trace) => {
    const show = showTasks(trace, stored, order);
    await runner.runInWorker(jobs.patched, { stored, msPerSecond }, show);
  });
  return order.join(", ");
}
