/**
 * `gil`: what threads are good for. One isolate runs one thing at a time, as Python does under its
 * global interpreter lock: waiting overlaps there, computing does not. Workers compute at once. And
 * that lock is not the program's: an update is lost all the same.
 */
import { Barrier, type Handle, Lock } from "../../sync/mod.ts";
import type { Drawing, EventKind } from "../trace.ts";
import { lesson } from "../lesson.ts";
import type { Runner, Trace } from "../runner/runner.ts";
import { bilingual, type Text } from "../text.ts";

const primesUpTo = 4_000_000;
/** A small one first: code that runs for the first time is slow. */
const warmUp = 100_000;
/** Each of them waits so long, in ms. */
const ioTime = 150;

interface Shared {
  readonly start: Handle<"Barrier">;
  readonly middle: Handle<"Barrier">;
}

const jobs = {
  /** Computes, several times one after the other. @returns ms and what came out */
  alone({ times }: { readonly times: number }): { readonly ms: number; readonly found: number[] } {
    primes(warmUp);
    const began = performance.now();
    const found = Array.from({ length: times }, () => primes(primesUpTo) + primes(primesUpTo));
    return { ms: performance.now() - began, found };
  },
  /**
   * Computes once, while others do: nobody passes the middle before all have come there, so all of
   * them are under way at once. One isolate could never do that: its first computation would wait
   * there for a second that can't begin.
   */
  atOnce({ start, middle }: Shared): number {
    primes(warmUp);
    Barrier.attach(start).wait();
    const first = primes(primesUpTo);
    Barrier.attach(middle).wait();
    const found = first + primes(primesUpTo);
    Barrier.attach(start).wait();
    return found;
  },
  /** Waits, several times at once. @returns ms, and in which order they began and ended */
  async io({ times }: { readonly times: number }) {
    const began = performance.now();
    const order: string[] = [];
    await Promise.all(Array.from({ length: times }, async () => {
      order.push("begins");
      await new Promise((resolve) => setTimeout(resolve, ioTime));
      order.push("ends");
    }));
    return { ms: performance.now() - began, order };
  },
};

/** How many primes there are below n: work for a processor. */
function primes(n: number): number {
  const sieve = new Uint8Array(n);
  let found = 0;
  for (let i = 2; i < n; i++) {
    if (sieve[i]) continue;
    found++;
    for (let j = i * 2; j < n; j += i) sieve[j] = 1;
  }
  return found;
}

export default lesson({
  idea: {
    en: `In Python one lock, the GIL, lets a single thread run Python code at a time. A JavaScript
isolate is like that: one thing at a time. For work that waits (network, disk, sleep) this
does no harm, as nobody holds anything while waiting: a hundred waits take as long as one.
For work that computes it does: two computations take the time of two. Processes in Python,
and workers here, which are isolates of their own, compute at the same time, if there are
cores for them.
The GIL guards the interpreter's data: without it, the garbage collector could clear a variable
in the very moment in which another thread gives it a new value, and the new value would be
lost. It does not guard yours. A thread may lose its turn between reading n and writing it
back, and then one of two subtractions is lost, though never two ran at once. For your data
you need a lock of your own: two locks, for two kinds of data.`,
    zh: `Python 有一把全局解释器锁（GIL），同一时刻只让一个线程执行 Python 代码。JavaScript 的一个
隔离实例也是这样：一次只做一件事。对于等待型的工作（网络、磁盘、睡眠）没有坏处：等的时候谁也
不占着它，一百个等待和一个一样久。对于计算型的工作就不行：两份计算要两份时间。Python 的进程，
和这里的工作线程（各是独立的隔离实例），只要有核可用，就能真正同时计算。
GIL 保护的是解释器自己的数据：没有它，垃圾回收可能正在清除一个变量，而另一个线程恰好在这一刻
给它赋了新值，新值就丢了。它不保护你的数据。一个线程可能在读出 n 之后、写回之前让出执行权，于是
两次减法丢了一次，尽管任何时刻都只有一个在跑。自己的数据要自己加锁：两把锁，管两种数据。`,
  },
  code: bilingual`for (let i = 0; i < 2; i++) primes(1e6);                 // ${{
    en: "one isolate: 2 x the time",
    zh: "一个隔离实例：两倍时间",
  }}
await Promise.all(workers.map((worker) => worker.primes()));  // ${{
    en: "2 cores: 1 x",
    zh: "两个核：一倍",
  }}

await Promise.all(Array.from({ length: 2 }, () => sleep(0.15)));   // ${{
    en: "one isolate: 0.15 s",
    zh: "一个隔离实例：0.15 秒",
  }}

const read = n; await sleep(0.1); n = read - 1;          // ${{
    en: "one at a time, and yet a lost update",
    zh: "一次只跑一个，更新还是丢了",
  }}
await lock.acquireAsync();                               // ${{
    en: "the program's own lock",
    zh: "程序自己的锁",
  }}`,
  threads: { default: 2, min: 2, max: 16 },
  jobs,
  async run(runner, { threads }) {
    const { alone, atOnce } = await computing(runner, threads);
    const io = await waiting(runner, threads);
    const without = await runner.runRealTime({
      en: `one isolate, ${threads} tasks subtract one, without a lock of the program's`,
      zh: `一个隔离实例，${threads} 个任务各减一，程序自己不加锁`,
    }, (trace) => subtracting(runner, trace, threads, undefined));
    const held = await runner.runRealTime({
      en: `the same with a lock of the program's`,
      zh: `同样的事，程序自己加锁`,
    }, (trace) => subtracting(runner, trace, threads, new Lock()));
    const found = new Set([...alone.found, ...atOnce.found]);
    const half = io.order.length / 2;
    const overlapped = io.order.slice(0, half).every((what) => what === "begins");
    return {
      ok: found.size === 1 && overlapped && without === threads - 1 && held === 0,
      summary: {
        en:
          `one isolate computed ${threads} times in a row; ${threads} workers were at it at once, ` +
          "with the same result; the waits overlapped in one isolate; one at a time is no lock: from " +
          `n = ${threads}, ${without} was left without a lock, and ${held} with one`,
        zh: `一个隔离实例只能依次算 ${threads} 遍；${threads} 个工作线程同时在算，结果相同；` +
          `等待在一个隔离实例里就能重叠；一次只跑一个并不等于加了锁：n = ${threads}，不加锁剩 ` +
          `${without}，加锁剩 ${held}`,
      },
      measured: [
        { name: { en: "cores", zh: "核数" }, value: navigator.hardwareConcurrency },
        {
          name: { en: "computing in one isolate, ms", zh: "一个隔离实例里计算，毫秒" },
          value: alone.ms,
        },
        {
          name: { en: "computing in workers, ms", zh: "多个工作线程计算，毫秒" },
          value: atOnce.ms,
        },
        {
          name: { en: "waiting in one isolate, ms", zh: "一个隔离实例里等待，毫秒" },
          value: io.ms,
        },
      ],
    };
  },
});

function jobNames(threads: number): Text[] {
  return Array.from({ length: threads }, (_, i) => ({ en: `job ${i + 1}`, zh: `工作 ${i + 1}` }));
}

async function computing(runner: Runner, threads: number) {
  const lanes = jobNames(threads);
  const alone = await runner.runRealTime(
    { en: `${threads} computations in one isolate`, zh: `一个隔离实例里做 ${threads} 份计算` },
    async (trace) => {
      draws(trace, lanes, (i) => [i, i + 1], "runs");
      return await runner.runInWorker(jobs.alone, { times: threads });
    },
  );
  const atOnce = await runner.runRealTime(
    {
      en: `${threads} computations in ${threads} workers`,
      zh: `${threads} 个工作线程各做一份计算`,
    },
    async (trace) => {
      draws(trace, lanes, () => [0, 1], "runs");
      return await compute(runner, threads);
    },
  );
  return { alone, atOnce };
}

async function waiting(runner: Runner, threads: number) {
  const title = {
    en: `${threads} waits in one isolate`,
    zh: `一个隔离实例里 ${threads} 个等待`,
  };
  return await runner.runRealTime(title, async (trace) => {
    draws(trace, jobNames(threads), () => [0, ioTime / 1000], "sleeps");
    trace.drawing(table);
    return await runner.runInWorker(jobs.io, { times: threads });
  });
}

/** The faster choice in Python, where a process corresponds to a worker and a thread to a task. */
const table: Drawing = [
  {
    en: "under a GIL      one core                        many cores",
    zh: "有 GIL 时     单核                          多核",
  },
  {
    en: "it computes      threads: processes cost more    processes: a core for each",
    zh: "计算型        线程：进程启动更贵            进程：各用一个核",
  },
  {
    en: "it waits         threads: processes cost more    threads: more cores wait no faster",
    zh: "等待型        线程：进程启动更贵            线程：核多了也不会等得更快",
  },
  {
    en: "(for a thread here: a task of one isolate; for a process: a worker)",
    zh: "（这里的线程相当于一个隔离实例里的任务，进程相当于工作线程）",
  },
];

/**
 * Runs tasks of this isolate, one at a time, that read n, wait, and write n - 1 back. @returns n
 */
async function subtracting(
  runner: Runner,
  trace: Trace,
  threads: number,
  lock: Lock | undefined,
): Promise<number> {
  let n = threads;
  let t = 0;
  const { signal } = runner;
  const label = "lock";
  await Promise.all(
    jobNames(threads).map(async (lane) => {
      const event = (what: EventKind, more: { of?: string; text?: Text } = {}) =>
        trace.event({ t: t += 0.1, lane, what, ...more });
      event("starts");
      if (lock && !lock.acquire({ blocking: false })) {
        event("waits", { of: label });
        await lock.acquireAsync({ signal });
      }
      if (lock) event("holds", { of: label });
      const read = n;
      event("runs", { text: bilingual`${{ en: "reads", zh: "读到" }} n = ${read}` });
      await new Promise((resolve) => setTimeout(resolve, 0)); // lets other tasks run
      n = read - 1;
      event("runs", { text: bilingual`${{ en: "writes", zh: "写回" }} n = ${n}` });
      if (lock) event("releases", { of: label });
      lock?.release();
      event("ends");
    }),
  );
  return n;
}

async function compute(runner: Runner, threads: number) {
  const start = new Barrier(threads + 1);
  const shared = { start: start.handle, middle: new Barrier(threads).handle };
  const running = Array.from({ length: threads }, () => runner.runInWorker(jobs.atOnce, shared));
  const timed = (async () => {
    await start.waitAsync({ signal: runner.signal });
    const began = performance.now();
    await start.waitAsync({ signal: runner.signal });
    return performance.now() - began;
  })();
  // Awaited together, as any of them may fail.
  const [ms, ...found] = await Promise.all([timed, ...running]);
  return { found, ms };
}

/** The picture: what the clock would show if nothing else ran on this machine. */
function draws(
  trace: Trace,
  lanes: readonly Text[],
  span: (i: number) => readonly [number, number],
  what: "runs" | "sleeps",
): void {
  const computes = { en: "computes", zh: "计算" };
  const lasts = { en: `for ${ioTime / 1000} s`, zh: `${ioTime / 1000} 秒` };
  const events = lanes.flatMap((lane, i) => {
    const [from, to] = span(i);
    return [
      { t: from, lane, what: "starts" as const },
      { t: from, lane, what, text: what === "runs" ? computes : lasts },
      { t: to, lane, what: "ends" as const },
    ];
  });
  for (const event of events.toSorted((a, b) => a.t - b.t)) trace.event(event);
}
