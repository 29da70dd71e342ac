/**
 * `gil`: an isolate runs one task at a time, as Python does under its global interpreter lock (GIL):
 * waits overlap, computations do not. Workers compute in parallel. The GIL does not replace a lock of
 * the program: updates are lost without one.
 */
import { Barrier, type Handle, Lock } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import type { Runner, Trace } from "../runner/runner.ts";
import { bilingual, type Text } from "../text.ts";
import type { Drawing, EventKind } from "../trace.ts";

const primesBelow = 4_000_000;
/** The range of a first computation, which lets the runtime compile the code. */
const warmUpBelow = 100_000;
/** The time of a simulated wait for input or output. */
const ioMs = 150;

interface Shared {
  readonly start: Handle<"Barrier">;
  readonly middle: Handle<"Barrier">;
}

const jobs = {
  /** Computes several times, one after the other. */
  inSequence(
    { times }: { readonly times: number },
  ): { readonly ms: number; readonly counts: number[] } {
    primes(warmUpBelow);
    const began = performance.now();
    const counts = Array.from({ length: times }, () => primes(primesBelow) + primes(primesBelow));
    return { ms: performance.now() - began, counts };
  },
  /**
   * Computes once, in parallel with other workers. The barrier in the middle proves that: no
   * worker continues before all have arrived there. In one isolate, the second computation could not begin while
   * the first waits there.
   */
  inParallel({ start, middle }: Shared): number {
    primes(warmUpBelow);
    Barrier.attach(start).wait();
    const first = primes(primesBelow);
    Barrier.attach(middle).wait();
    const count = first + primes(primesBelow);
    Barrier.attach(start).wait();
    return count;
  },
  /** Waits several times at once. @returns the time, and the order of beginnings and ends */
  async io({ times }: { readonly times: number }) {
    const began = performance.now();
    const order: string[] = [];
    await Promise.all(Array.from({ length: times }, async () => {
      order.push("begins");
      await new Promise((resolve) => setTimeout(resolve, ioMs));
      order.push("ends");
    }));
    return { ms: performance.now() - began, order };
  },
};

/** Counts the primes below n. */
function primes(n: number): number {
  const sieve = new Uint8Array(n);
  let count = 0;
  for (let i = 2; i < n; i++) {
    if (sieve[i]) continue;
    count++;
    for (let j = i * 2; j < n; j += i) sieve[j] = 1;
  }
  return count;
}

export default {
  idea: {
    en: `In Python one lock, the GIL, lets a single thread run Python code at a time. A JavaScript
isolate is similar: it runs one task at a time. For tasks that wait (for the network, a disk, a
timer) this is harmless, as a waiting task does not hold the lock: a hundred waits take as long
as one. For tasks that compute it is not: two computations take twice the time of one.
Processes in Python, and workers here, which are separate isolates, compute in parallel, if
there are enough cores.
The GIL protects the data of the interpreter. Without it, the garbage collector could clear a
variable at the very moment when another thread assigns a new value, and that value would be
lost. It does not protect the data of your program. A thread may lose its turn after it reads n
and before it writes the result, and then one of two subtractions is lost, although the threads
never ran at the same time. For your data you need a lock of your own: two locks for two kinds
of data.`,
    zh: `Python 有一把全局解释器锁（GIL），同一时刻只让一个线程执行 Python 代码。JavaScript 的一个
隔离实例也是这样：一次只做一件事。对于等待型的工作（网络、磁盘、睡眠）没有坏处：等的时候谁也
不占着它，一百个等待和一个一样久。对于计算型的工作就不行：两份计算要两份时间。Python 的进程，
和这里的工作线程（各是独立的隔离实例），只要有核可用，就能真正同时计算。
GIL 保护的是解释器自己的数据：没有它，垃圾回收可能正在清除一个变量，而另一个线程恰好在这一刻
给它赋了新值，新值就丢了。它不保护你的数据。一个线程可能在读出 n 之后、写回之前让出执行权，于是
两次减法丢了一次，尽管任何时刻都只有一个在跑。自己的数据要自己加锁：两把锁，管两种数据。`,
  },
  code:
    `for (let i = 0; i < 2; i++) primes(1e6);                 // [[one isolate: twice the time || 一个隔离实例：两倍时间]]
await Promise.all(workers.map((worker) => worker.primes()));  // [[2 cores: the time of one || 两个核：一倍]]

await Promise.all(Array.from({ length: 2 }, () => sleep(0.15)));   // [[one isolate: 0.15 s || 一个隔离实例：0.15 秒]]

const read = n; await sleep(0.1); n = read - 1;          // [[one at a time, and still a lost update || 一次只跑一个，更新还是丢了]]
await lock.acquireAsync();                               // [[the program's own lock || 程序自己的锁]]`,
  threads: { default: 2, min: 2, max: 16 },
  jobs,
  async run(runner, { threads }) {
    const { sequence, parallel } = await computeBothWays(runner, threads);
    const io = await waitAtOnce(runner, threads);
    const withoutLock = await runner.runRealTime({
      en: `one isolate, ${threads} tasks subtract one, without a lock of the program`,
      zh: `一个隔离实例，${threads} 个任务各减一，程序自己不加锁`,
    }, (trace) => subtractOne(runner, trace, threads, undefined));
    const withLock = await runner.runRealTime({
      en: "the same with a lock of the program",
      zh: "同样的事，程序自己加锁",
    }, (trace) => subtractOne(runner, trace, threads, new Lock()));
    const counts = new Set([...sequence.counts, ...parallel.counts]);
    const half = io.order.length / 2;
    const overlapped = io.order.slice(0, half).every((each) => each === "begins");
    return {
      ok: counts.size === 1 && overlapped && withoutLock === threads - 1 && withLock === 0,
      summary: bilingual`one isolate computed ${threads} times in sequence; ${threads} workers
        computed in parallel, with the same result; the waits overlapped in one isolate; running
        one at a time does not replace a lock: of n = ${threads}, ${withoutLock} is left without
        a lock, and ${withLock} with one ||
        一个隔离实例只能依次算 ${threads} 遍；${threads} 个工作线程同时在算，结果相同；
        等待在一个隔离实例里就能重叠；一次只跑一个并不等于加了锁：n = ${threads}，
        不加锁剩 ${withoutLock}，加锁剩 ${withLock}`,
      measured: [
        { name: bilingual`cores || 核数`, value: navigator.hardwareConcurrency },
        {
          name: bilingual`computing in one isolate, ms || 一个隔离实例里计算，毫秒`,
          value: sequence.ms,
        },
        { name: bilingual`computing in workers, ms || 多个工作线程计算，毫秒`, value: parallel.ms },
        { name: bilingual`waiting in one isolate, ms || 一个隔离实例里等待，毫秒`, value: io.ms },
      ],
    };
  },
} satisfies Lesson;

function laneNames(threads: number): Text[] {
  return Array.from({ length: threads }, (_, i) => bilingual`job ${i + 1} || 工作 ${i + 1}`);
}

async function computeBothWays(runner: Runner, threads: number) {
  const lanes = laneNames(threads);
  const sequence = await runner.runRealTime(
    bilingual`${threads} computations in one isolate || 一个隔离实例里做 ${threads} 份计算`,
    async (trace) => {
      showSpans(trace, lanes, (i) => [i, i + 1], "runs");
      return await runner.runInWorker(jobs.inSequence, { times: threads });
    },
  );
  const parallel = await runner.runRealTime(
    bilingual`${threads} computations in ${threads} workers || ${threads} 个工作线程各做一份计算`,
    async (trace) => {
      showSpans(trace, lanes, () => [0, 1], "runs");
      return await computeInParallel(runner, threads);
    },
  );
  return { sequence, parallel };
}

async function waitAtOnce(runner: Runner, threads: number) {
  const title = bilingual`${threads} waits in one isolate || 一个隔离实例里 ${threads} 个等待`;
  return await runner.runRealTime(title, async (trace) => {
    showSpans(trace, laneNames(threads), () => [0, ioMs / 1000], "sleeps");
    trace.drawing(choiceTable);
    return await runner.runInWorker(jobs.io, { times: threads });
  });
}

/** The better choice in Python, whose processes are workers here, and whose threads are tasks. */
const choiceTable: Drawing = [
  bilingual`under a GIL      one core                        many cores ||
    有 GIL 时     单核                          多核`,
  bilingual`it computes      threads: processes cost more    processes: a core for each ||
    计算型        线程：进程启动更贵            进程：各用一个核`,
  bilingual`it waits         threads: processes cost more    threads: more cores wait no faster ||
    等待型        线程：进程启动更贵            线程：核多了也不会等得更快`,
  bilingual`(for a thread here: a task of one isolate; for a process: a worker) ||
    （这里的线程相当于一个隔离实例里的任务，进程相当于工作线程）`,
];

/** Runs tasks of this isolate that read n, wait, and write n - 1. @returns the last n */
async function subtractOne(
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
    laneNames(threads).map(async (lane) => {
      const event = (what: EventKind, more: { of?: string; text?: Text } = {}) =>
        trace.event({ t: t += 0.1, lane, what, ...more });
      event("starts");
      if (lock && !lock.acquire({ blocking: false })) {
        event("waits", { of: label });
        await lock.acquireAsync({ signal });
      }
      if (lock) event("holds", { of: label });
      const read = n;
      event("runs", { text: bilingual`reads n = ${read} || 读到 n = ${read}` });
      await new Promise((resolve) => setTimeout(resolve, 0)); // lets other tasks run
      n = read - 1;
      event("runs", { text: bilingual`writes n = ${n} || 写回 n = ${n}` });
      if (lock) event("releases", { of: label });
      lock?.release();
      event("ends");
    }),
  );
  return n;
}

async function computeInParallel(runner: Runner, threads: number) {
  const start = new Barrier(threads + 1);
  const shared = { start: start.handle, middle: new Barrier(threads).handle };
  const run = () => runner.runInWorker(jobs.inParallel, shared);
  const running = Array.from({ length: threads }, run);
  const timed = (async () => {
    await start.waitAsync({ signal: runner.signal });
    const began = performance.now();
    await start.waitAsync({ signal: runner.signal });
    return performance.now() - began;
  })();
  // Awaited together, as any of them may fail.
  const [ms, ...counts] = await Promise.all([timed, ...running]);
  return { counts, ms };
}

/** Shows the spans that an otherwise idle machine would have. */
function showSpans(
  trace: Trace,
  lanes: readonly Text[],
  span: (i: number) => readonly [number, number],
  what: "runs" | "sleeps",
): void {
  const computes = bilingual`computes || 计算`;
  const duration = bilingual`for ${ioMs / 1000} s || ${ioMs / 1000} 秒`;
  const events = lanes.flatMap((lane, i) => {
    const [from, to] = span(i);
    return [
      { t: from, lane, what: "starts" as const },
      { t: from, lane, what, text: what === "runs" ? computes : duration },
      { t: to, lane, what: "ends" as const },
    ];
  });
  for (const event of events.toSorted((a, b) => a.t - b.t)) trace.event(event);
}
