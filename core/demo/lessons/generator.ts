/**
 * `generator`: a function that returns its results one by one, against one that returns them all;
 * and one that takes values.
 */
import { lesson } from "../lesson.ts";
import type { Trace } from "../runner/runner.ts";
import { bilingual, type Name, type Text } from "../text.ts";

const shown = 4;
const measured = 300_000;
/** The values that are pushed, and the mean of all values after each. */
const pushed = [10, 20, 60];
const means = [10, 15, 30];

const caller = { en: "caller", zh: "调用者" };
const generator = { en: "generator", zh: "生成器" };

function* squares(n: number): Generator<number> {
  for (let i = 1; i <= n; i++) yield i * i;
}

function allSquares(n: number): number[] {
  const all: number[] = [];
  for (let i = 1; i <= n; i++) all.push(i * i);
  return all;
}

const square = (i: number) => i * i;

/** Gets a number at each yield, and yields the mean of all numbers so far. */
function* mean(): Generator<number, never, number> {
  let [sum, n] = [0, 0];
  for (let given = 0;;) {
    given = yield given;
    sum += given;
    given = sum / ++n;
  }
}

/** Adds up the values that are pushed into it. */
function* adder(): Generator<number, never, number> {
  let sum = 0;
  for (;;) sum += yield sum;
}

/** So often each is measured; the fastest counts, as nothing else had the core then. */
const rounds = 8;

/** How many nanoseconds one takes. */
function time(work: () => number): { readonly sum: number; readonly ns: number } {
  let sum = work(); // once, so that it is compiled
  let ms = Infinity;
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    sum = work();
    ms = Math.min(ms, performance.now() - began);
  }
  return { sum, ns: ms * 1e6 / measured };
}

export default lesson({
  idea: {
    en: `A call runs to its end before its caller goes on; a generator runs to its next yield, gives
one result, and stops there until it is asked again. So its results cost no memory, it may
have infinitely many, and the caller may stop in the middle. It works the other way round, too:
a value that the caller pushes in (send() in Python, next(value) here) is what yield returns.
The first push has nothing to arrive at, so a generator is first run to its first yield.
A yield costs more than a call: the generator's state is put aside and taken up again. The
difference is measured here; it is nanoseconds, and worth it where the list would be long.
A generator that is pushed to is already a coroutine, by the first three of its four marks:
1. several flows of control in a single thread; 2. they change shared data without locks;
3. the program itself keeps where each of them is; 4. one that waits for input or output lets
another go on by itself: that a generator can't do, see greenlet and async.
One thread is one core at most. More cores need more: processes, in each of them threads, and in
each thread coroutines.`,
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
  code: bilingual`function* squares(n) { for (let i = 1; i <= n; i++) yield i * i; }

for (const square of squares(1e9)) if (square > 50) break;   // ${{
    en: "made as they are asked for",
    zh: "要一个做一个",
  }}
allSquares(1e9);                                             // ${{
    en: "made first, all of them",
    zh: "先全部做完",
  }}

function* adder() { let sum = 0; for (;;) sum += yield sum; }
const sums = adder();
sums.next();                                                 // ${{
    en: "runs to the first yield",
    zh: "跑到第一个 yield",
  }}
sums.next(10);                                               // ${{
    en: "pushes 10 in: yield returns it",
    zh: "推入 10：yield 返回它",
  }}`,
  async run(runner) {
    const order: string[] = [];
    await runner.runRealTime({ en: "yield: pulled out", zh: "yield：往外拉" }, (trace) => {
      pulling(trace, order);
      return Promise.resolve();
    });
    await runner.runRealTime({ en: "a call", zh: "普通调用" }, (trace) => {
      calling(trace);
      return Promise.resolve();
    });
    const came = await runner.runRealTime(
      { en: "send: pushed in", zh: "send：往里推" },
      (trace) => Promise.resolve(pushing(trace)),
    );
    const { yielded, called, sent } = times();
    const turns = order.join(" ");
    const alternate = Array(shown).fill("generator caller").join(" ");
    return {
      ok: turns === alternate && yielded.sum === called.sum && sent.sum === called.sum &&
        came.join() === means.join(),
      summary: {
        en:
          `the generator made each of ${shown} results as it was asked for; ${pushed.join(", ")} ` +
          `pushed in gave the means ${
            came.join(", ")
          }; all three ways of ${measured} gave the same sum`,
        zh: `生成器要一个做一个，共 ${shown} 个；推入 ${pushed.join("、")}，得到平均值 ` +
          `${came.join("、")}；三种办法各做 ${measured} 个，总和相同`,
      },
      measured: [
        { name: { en: "a yield, ns", zh: "一次 yield，纳秒" }, value: yielded.ns },
        { name: { en: "a send, ns", zh: "一次 send，纳秒" }, value: sent.ns },
        { name: { en: "a call, ns", zh: "一次调用，纳秒" }, value: called.ns },
      ],
    };
  },
});

function pulling(trace: Trace, order: string[]): void {
  let t = 0;
  const runs = (lane: Text, text: Text) => {
    order.push(lane.en);
    trace.event({ t, lane, what: "runs", text });
  };
  for (const lane of [caller, generator]) trace.event({ t, lane, what: "starts" });
  for (const square of squares(shown)) {
    runs(generator, { en: `yields ${square}`, zh: `交出 ${square}` });
    t += 0.1;
    trace.event({ t, lane: generator, what: "waits", of: "next()" });
    runs(caller, { en: `uses ${square}`, zh: `用掉 ${square}` });
    t += 0.1;
    trace.event({ t, lane: caller, what: "waits", of: { en: "a result", zh: "结果" } });
  }
  for (const lane of [generator, caller]) trace.event({ t, lane, what: "ends" });
}

function calling(trace: Trace): void {
  let t = 0;
  const lane = { en: "function", zh: "函数" };
  trace.event({ t, lane: caller, what: "starts" });
  trace.event({ t, lane: caller, what: "waits", of: { en: "all results", zh: "全部结果" } });
  trace.event({ t, lane, what: "starts" });
  const all = allSquares(shown);
  for (const square of all) {
    trace.event({ t, lane, what: "runs", text: { en: `makes ${square}`, zh: `算出 ${square}` } });
    t += 0.1;
  }
  const text = { en: `returns all ${all.length}`, zh: `返回全部 ${all.length} 个` };
  trace.event({ t, lane, what: "ends", text });
  for (const square of all) {
    const text = { en: `uses ${square}`, zh: `用掉 ${square}` };
    trace.event({ t, lane: caller, what: "runs", text });
    t += 0.1;
  }
  trace.event({ t, lane: caller, what: "ends" });
}

/** @returns the mean after each push */
function pushing(trace: Trace): number[] {
  let t = 0;
  const runs = (lane: Text, text: Name) => trace.event({ t, lane, what: "runs", text });
  const waits = (lane: Text, of: Name) => trace.event({ t, lane, what: "waits", of });
  for (const lane of [caller, generator]) trace.event({ t, lane, what: "starts" });
  const means = mean();
  runs(caller, { en: "next(): runs it to its first yield", zh: "next()：先跑到第一个 yield" });
  means.next();
  t += 0.1;
  waits(generator, "send()");
  const came: number[] = [];
  for (const value of pushed) {
    runs(caller, { en: `send(${value})`, zh: `send(${value})` });
    t += 0.1;
    waits(caller, { en: "a result", zh: "结果" });
    const { value: result } = means.next(value);
    came.push(result);
    runs(generator, {
      en: `yield returned ${value}; the mean is ${result}`,
      zh: `yield 返回了 ${value}；平均值是 ${result}`,
    });
    t += 0.1;
    waits(generator, "send()");
  }
  for (const lane of [generator, caller]) trace.event({ t, lane, what: "ends" });
  return came;
}

function times() {
  const yielded = time(() => {
    let sum = 0;
    for (const each of squares(measured)) sum += each;
    return sum;
  });
  const called = time(() => {
    let sum = 0;
    for (let i = 1; i <= measured; i++) sum += square(i);
    return sum;
  });
  const sent = time(() => {
    const sums = adder();
    let sum = sums.next().value;
    for (let i = 1; i <= measured; i++) sum = sums.next(i * i).value;
    return sum;
  });
  return { yielded, called, sent };
}
