/**
 * `gil`: what threads are good for. One isolate runs one thing at a time, as Python does under its
 * global interpreter lock: waiting overlaps there, computing does not. Workers compute at once.
 */
import { Barrier, type Handle } from "../sync/mod.ts";
import { lesson } from "./lesson.ts";
import type { Scene, Stage } from "./stage.ts";

const primesUpTo = 4_000_000;
/** A small one first: code that runs for the first time is slow. */
const warmUp = 100_000;
/** Each of them waits so long, in ms. */
const ioTime = 150;

interface Shared {
  readonly start: Handle<"Barrier">;
  readonly middle: Handle<"Barrier">;
}

const errands = {
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
For work that computes it does: two computations take the time of two. Threads that are
isolates of their own, as workers are, each with a processor, compute at the same time. So:
waiting - tasks in one thread; computing - as many workers as there are processors.`,
    zh: `Python 有一把全局解释器锁（GIL），同一时刻只让一个线程执行 Python 代码。JavaScript 的一个
isolate 也是这样：一次只做一件事。对于等待型的工作（网络、磁盘、sleep）没有坏处：等的时候谁也
不占着它，一百个等待和一个一样久。对于计算型的工作就不行：两份计算要两份时间。每个 worker 是
独立的 isolate，各占一个处理器，就能真正同时计算。所以：要等待，用一个线程里的多个任务；要计算，
用和处理器一样多的 worker。`,
  },
  code: `for (let i = 0; i < 2; i++) primes(1e6);                 // one isolate: 2 x the time
await Promise.all(workers.map((worker) => worker.primes()));  // 2 processors: 1 x

await Promise.all(Array.from({ length: 2 }, () => sleep(0.15)));   // one isolate: 0.15 s`,
  threads: { usual: 2, least: 2, most: 16 },
  errands,
  async play(stage, { threads }) {
    const lanes = Array.from({ length: threads }, (_, i) => `job ${i + 1}`);
    const alone = await stage.live(
      { en: `${threads} computations in one isolate`, zh: `一个 isolate 里做 ${threads} 份计算` },
      async (scene) => {
        draws(scene, lanes, (i) => [i, i + 1], "runs");
        return await stage.errand(errands.alone, { times: threads });
      },
    );
    const atOnce = await stage.live(
      { en: `${threads} computations in ${threads} workers`, zh: `${threads} 个 worker 各做一份` },
      async (scene) => {
        draws(scene, lanes, () => [0, 1], "runs");
        return await compute(stage, threads);
      },
    );
    const io = await stage.live(
      { en: `${threads} waits in one isolate`, zh: `一个 isolate 里 ${threads} 个等待` },
      async (scene) => {
        draws(scene, lanes, () => [0, ioTime / 1000], "sleeps");
        return await stage.errand(errands.io, { times: threads });
      },
    );
    const found = new Set([...alone.found, ...atOnce.found]);
    const half = io.order.length / 2;
    const overlapped = io.order.slice(0, half).every((what) => what === "begins");
    return {
      ok: found.size === 1 && overlapped,
      said: {
        en:
          `one isolate computed ${threads} times in a row; ${threads} workers were at it at once, ` +
          "with the same result; the waits overlapped in one isolate",
        zh: `一个 isolate 只能依次算 ${threads} 遍；${threads} 个 worker 同时在算，结果相同；` +
          "等待在一个 isolate 里就能重叠",
      },
      measured: {
        "computing in one isolate, ms": alone.ms,
        "computing in workers, ms": atOnce.ms,
        "waiting in one isolate, ms": io.ms,
      },
    };
  },
});

async function compute(stage: Stage, threads: number) {
  const start = new Barrier(threads + 1);
  const shared = { start: start.handle, middle: new Barrier(threads).handle };
  const running = Array.from({ length: threads }, () => stage.errand(errands.atOnce, shared));
  const timed = (async () => {
    await start.waitAsync({ signal: stage.signal });
    const began = performance.now();
    await start.waitAsync({ signal: stage.signal });
    return performance.now() - began;
  })();
  // Awaited together, as any of them may fail.
  const [ms, ...found] = await Promise.all([timed, ...running]);
  return { found, ms };
}

/** The picture: what the clock would show if nothing else ran on this machine. */
function draws(
  scene: Scene,
  lanes: readonly string[],
  span: (i: number) => readonly [number, number],
  what: "runs" | "sleeps",
): void {
  const events = lanes.flatMap((lane, i) => {
    const [from, to] = span(i);
    return [
      { t: from, lane, what: "starts" as const },
      { t: from, lane, what, text: what === "runs" ? "computes" : `for ${ioTime / 1000} s` },
      { t: to, lane, what: "ends" as const },
    ];
  });
  for (const event of events.toSorted((a, b) => a.t - b.t)) scene.tells(event);
}
