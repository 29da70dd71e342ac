/**
 * `generator`: a function that yields its results one by one, compared with one that returns them
 * all; and a generator that receives values.
 */
import type { Lesson } from "../lesson.ts";
import type { Trace } from "../runner/runner.ts";
import { bilingual, type Name, type Text } from "../text.ts";

const shownResults = 4;
const measuredCalls = 300_000;
const sentValues = [10, 20, 60];
/** The means of the values sent so far, after each value. */
const expectedMeans = [10, 15, 30];

const caller = bilingual`caller || 调用者`;
const generator = bilingual`generator || 生成器`;

function* squares(n: number): Generator<number> {
  for (let i = 1; i <= n; i++) yield i * i;
}

function allSquares(n: number): number[] {
  const all: number[] = [];
  for (let i = 1; i <= n; i++) all.push(i * i);
  return all;
}

const square = (i: number) => i * i;

/** Yields the mean of the numbers received so far. */
function* mean(): Generator<number, never, number> {
  let sum = yield 0;
  for (let count = 1;; count++) sum += yield sum / count;
}

/** Yields the sum of the numbers received so far. */
function* adder(): Generator<number, never, number> {
  let sum = 0;
  for (;;) sum += yield sum;
}

/** The number of measurements; the fastest counts, as the others shared the core. */
const rounds = 8;

/** Measures the time of one call, in nanoseconds. */
function measure(work: () => number): { readonly sum: number; readonly ns: number } {
  let sum = work(); // lets the runtime compile it
  let ms = Infinity;
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    sum = work();
    ms = Math.min(ms, performance.now() - began);
  }
  return { sum, ns: ms * 1e6 / measuredCalls };
}

export default {
  idea: {
    en: `A function call runs to its end before its caller continues. A generator runs to its next
yield, returns one result, and stops there until it is asked again. So its results take no
memory, it may have infinitely many, and the caller may stop early. It also works the other way
round: a value that the caller sends (send() in Python, next(value) here) is the result of
yield. At first no yield waits for a value, so a generator must first run to its first yield.
A yield costs more than a call, as the generator's state is saved and restored. This lesson
measures the difference: nanoseconds, which pay off where the list would be long.
A generator that receives values is almost a coroutine: it has the first three of its four
properties: 1. several flows of control in a single thread; 2. shared data without locks; 3.
the program itself saves the position of each flow; 4. a flow that waits for input or output
lets another one run by itself. A generator cannot do the last: see greenlet and async.
One thread uses at most one core. For several cores use several processes, in each of them
threads, and in each thread coroutines.`,
    zh: `普通调用要一直跑到结束，调用者才能继续；生成器只跑到下一个 yield，交出一个结果就停在那里，
等下一次来要。所以结果不占内存，可以有无穷多个，调用者也可以中途不要了。反过来也行：调用者推
进去的值（Python 的 send()，这里的 next(value)）就是 yield 的返回值。第一次推的时候里面还没有
yield 在等，所以要先让生成器跑到第一个 yield。
一次 yield 比一次调用贵：要把生成器的状态放下再拿起来。这里量出了差别：只是纳秒级，列表很长时
很值得。
能往里推值的生成器已经是协程了，协程有四个特征，它占前三个：一、在单个线程里实现并发；二、修改
共享数据不用加锁；三、由程序自己保存每个控制流走到了哪里；四、遇到输入输出的等待会自动切换到
别的协程：这一条生成器做不到，请看 greenlet 和 async。
一个线程最多用一个核。要用多个核，就要多个进程，每个进程里多个线程，每个线程里多个协程。`,
  },
  code: `function* squares(n) { for (let i = 1; i <= n; i++) yield i * i; }

for (const square of squares(1e9)) if (square > 50) break;   // [[computed on demand || 要一个做一个]]
allSquares(1e9);                                             // [[all computed first || 先全部做完]]

function* adder() { let sum = 0; for (;;) sum += yield sum; }
const sums = adder();
sums.next();                                                 // [[runs to the first yield || 跑到第一个 yield]]
sums.next(10);                                               // [[sends 10: yield returns it || 推入 10：yield 返回它]]`,
  async run(runner) {
    const order: string[] = [];
    await runner.runRealTime(
      bilingual`yield: the caller takes results || yield：往外拉`,
      (trace) => takeResults(trace, order),
    );
    await runner.runRealTime(bilingual`a call || 普通调用`, callFunction);
    const received = await runner.runRealTime(
      bilingual`send: the caller sends values || send：往里推`,
      sendValues,
    );
    const { yielded, called, sent } = measureAll();
    const turns = order.join(" ");
    const alternate = Array(shownResults).fill("generator caller").join(" ");
    return {
      ok: turns === alternate && yielded.sum === called.sum && sent.sum === called.sum &&
        received.join() === expectedMeans.join(),
      summary: bilingual`the generator computed each of ${shownResults} results on demand; after
        each of the sent values ${sentValues.join(", ")} the mean was ${received.join(", ")}; all
        three ways gave the same sum for ${measuredCalls} values ||
        生成器要一个做一个，共 ${shownResults} 个；推入 ${sentValues.join("、")}，
        得到平均值 ${received.join("、")}；三种办法各做 ${measuredCalls} 个，总和相同`,
      measured: [
        { name: bilingual`a yield, ns || 一次 yield，纳秒`, value: yielded.ns },
        { name: bilingual`a send, ns || 一次 send，纳秒`, value: sent.ns },
        { name: bilingual`a call, ns || 一次调用，纳秒`, value: called.ns },
      ],
    };
  },
} satisfies Lesson;

function takeResults(trace: Trace, order: string[]): void {
  let t = 0;
  const runs = (lane: Text, text: Text) => {
    order.push(lane.en);
    trace.event({ t, lane, what: "runs", text });
  };
  for (const lane of [caller, generator]) trace.event({ t, lane, what: "starts" });
  for (const square of squares(shownResults)) {
    runs(generator, bilingual`yields ${square} || 交出 ${square}`);
    t += 0.1;
    trace.event({ t, lane: generator, what: "waits", of: "next()" });
    runs(caller, bilingual`uses ${square} || 用掉 ${square}`);
    t += 0.1;
    trace.event({ t, lane: caller, what: "waits", of: bilingual`a result || 结果` });
  }
  for (const lane of [generator, caller]) trace.event({ t, lane, what: "ends" });
}

function callFunction(trace: Trace): void {
  let t = 0;
  const lane = bilingual`function || 函数`;
  trace.event({ t, lane: caller, what: "starts" });
  trace.event({ t, lane: caller, what: "waits", of: bilingual`all results || 全部结果` });
  trace.event({ t, lane, what: "starts" });
  const all = allSquares(shownResults);
  for (const square of all) {
    trace.event({ t, lane, what: "runs", text: bilingual`computes ${square} || 算出 ${square}` });
    t += 0.1;
  }
  const text = bilingual`returns all ${all.length} || 返回全部 ${all.length} 个`;
  trace.event({ t, lane, what: "ends", text });
  for (const square of all) {
    const text = bilingual`uses ${square} || 用掉 ${square}`;
    trace.event({ t, lane: caller, what: "runs", text });
    t += 0.1;
  }
  trace.event({ t, lane: caller, what: "ends" });
}

/** @returns the mean after each sent value */
function sendValues(trace: Trace): number[] {
  let t = 0;
  const runs = (lane: Text, text: Name) => trace.event({ t, lane, what: "runs", text });
  const waits = (lane: Text, of: Name) => trace.event({ t, lane, what: "waits", of });
  for (const lane of [caller, generator]) trace.event({ t, lane, what: "starts" });
  const means = mean();
  runs(caller, {
    en: "next(): runs the generator to its first yield",
    zh: "next()：先跑到第一个 yield",
  });
  means.next();
  t += 0.1;
  waits(generator, "send()");
  const received: number[] = [];
  for (const value of sentValues) {
    runs(caller, `send(${value})`);
    t += 0.1;
    waits(caller, bilingual`a result || 结果`);
    const { value: result } = means.next(value);
    received.push(result);
    runs(generator, {
      en: `yield returned ${value}; the mean is ${result}`,
      zh: `yield 返回了 ${value}；平均值是 ${result}`,
    });
    t += 0.1;
    waits(generator, "send()");
  }
  for (const lane of [generator, caller]) trace.event({ t, lane, what: "ends" });
  return received;
}

function measureAll() {
  const yielded = measure(() => {
    let sum = 0;
    for (const each of squares(measuredCalls)) sum += each;
    return sum;
  });
  const called = measure(() => {
    let sum = 0;
    for (let i = 1; i <= measuredCalls; i++) sum += square(i);
    return sum;
  });
  const sent = measure(() => {
    const sums = adder();
    let sum = sums.next().value;
    for (let i = 1; i <= measuredCalls; i++) sum = sums.next(i * i).value;
    return sum;
  });
  return { yielded, called, sent };
}
