/** `greenlet`: coroutines that switch explicitly and pass each other values, without threads. */
import type { Lesson } from "../lesson.ts";
import type { Trace } from "../runner/runner.ts";
import { bilingual, type Text } from "../text.ts";

/** A switch to another coroutine, with a value. */
interface Switch {
  readonly to: string;
  readonly value: number;
}
type Coroutine = Generator<Switch, void, number>;

/** Applies `change` to each value that it receives, and passes the result on to `to`. */
function* makeCoroutine(
  change: (value: number) => number,
  to: string,
  log: (text: Text) => void,
): Coroutine {
  for (let value = 0;;) {
    value = yield { to, value: change(value) };
    const next = change(value);
    log(bilingual`gets ${value}, passes ${next} to ${to} || 收到 ${value}，把 ${next} 交给 ${to}`);
  }
}

const switches = 6;
const aSwitch = bilingual`a switch || 切换`;

/** Runs two coroutines, each until it switches. @returns their order, and the last value */
function runCoroutines(trace: Trace): { readonly order: string[]; readonly value: number } {
  let now = 0;
  const logTo = (lane: string) => (text: Text) => {
    trace.event({ t: now, lane, what: "runs", text });
  };
  const coroutines = new Map<string, Coroutine>([
    ["a", makeCoroutine((value) => value * 2, "b", logTo("a"))],
    ["b", makeCoroutine((value) => value + 1, "a", logTo("b"))],
  ]);
  for (const [lane, coroutine] of coroutines) {
    trace.event({ t: 0, lane, what: "starts" });
    trace.event({ t: 0, lane, what: "waits", of: aSwitch });
    coroutine.next(0);
  }
  const order: string[] = [];
  let next: Switch = { to: "a", value: 1 };
  while (order.length < switches) {
    now = order.length * 0.1;
    order.push(next.to);
    const lane = next.to;
    next = coroutines.get(lane)!.next(next.value).value!;
    now += 0.1;
    trace.event({ t: now, lane, what: "waits", of: aSwitch });
  }
  for (const lane of coroutines.keys()) trace.event({ t: now, lane, what: "ends" });
  return { order, value: next.value };
}

export default {
  idea: {
    en: `A coroutine is a function that can stop in the middle and continue there later. It stops
only where its code says so: there it switches to another coroutine and passes a value, as
yield passes a value to the caller of next(). No other code can run in between, so no lock is
needed; but a coroutine that never switches keeps all others from running. Thousands of
coroutines need only one thread.`,
    zh: `协程是可以停在中间、以后再从那里接着跑的函数。它只在自己说停的地方停：切换到另一个协程，
顺便递过去一个值，就像 yield 把值交给调用 next() 的人。两次切换之间不会有别人插进来，所以不用
锁；但谁要是一直不切换，别人就都跑不了。成千上万个协程也只占一个线程。`,
  },
  code: `function* doubler() {
  let value = 1;
  for (;;) value = yield { to: "b", value: value * 2 };    // [[switch to b, and pass a value || 切换到 b，交给它一个值]]
}
next = coroutines.get(next.to).next(next.value).value;     // [[run the next coroutine || 现在轮到谁]]`,
  async run(runner) {
    const { order, value } = await runner.runRealTime(
      bilingual`two coroutines pass a number back and forth || 两个协程来回传一个数`,
      runCoroutines,
    );
    // 1 -> 2, 3, 6, 7, 14, 15
    return {
      ok: order.join("") === "ababab" && value === 15,
      summary: bilingual`they ran in the order ${order.join(" ")}, and changed 1 to ${value} ||
        运行顺序是 ${order.join(" ")}，把 1 变成了 ${value}`,
    };
  },
} satisfies Lesson;
