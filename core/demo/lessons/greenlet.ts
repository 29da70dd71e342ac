/** `greenlet`: coroutines that switch when they say so, and hand each other values. No threads. */
import { lesson } from "../lesson.ts";
import type { Trace } from "../runner/runner.ts";
import { bilingual, type Text } from "../text.ts";

/** What a coroutine gives when it switches: to whom, and what. */
interface Switch {
  readonly to: string;
  readonly value: number;
}
type Coroutine = Generator<Switch, void, number>;

/** Doubles what it gets, and hands it on. */
function* doubler(to: string, log: (text: Text) => void): Coroutine {
  let value = 1;
  for (;;) {
    const got: number = yield { to, value: value * 2 };
    log(handed(got, got * 2, to));
    value = got;
  }
}

/** Adds one. */
function* adder(to: string, log: (text: Text) => void): Coroutine {
  let value = 0;
  for (;;) {
    const got: number = yield { to, value: value + 1 };
    log(handed(got, got + 1, to));
    value = got;
  }
}

function handed(got: number, gives: number, to: string): Text {
  return { en: `gets ${got}, hands ${gives} to ${to}`, zh: `收到 ${got}，把 ${gives} 交给 ${to}` };
}

const switches = 6;
const aSwitch = { en: "a switch", zh: "切换" };

/** Runs coroutines: who is switched to runs until it switches, and nobody else does. */
function switching(trace: Trace): { readonly order: string[]; readonly value: number } {
  let now = 0;
  const says = (lane: string) => (text: Text) => {
    trace.event({ t: now, lane, what: "runs", text });
  };
  const coroutines = new Map<string, Coroutine>([
    ["a", doubler("b", says("a"))],
    ["b", adder("a", says("b"))],
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

export default lesson({
  idea: {
    en:
      `A coroutine is a function that can stop in its middle, and go on there later. It stops where
it says so: it switches to another, and hands it a value, as one that yields hands it to
whoever called next(). Nothing else can come in between, so no lock is needed; and one that
never switches keeps all others from running. Thousands of them take no more than one thread.`,
    zh: `协程是可以停在中间、以后再从那里接着跑的函数。它只在自己说停的地方停：切换到另一个协程，
顺便递过去一个值，就像 yield 把值交给调用 next() 的人。两次切换之间不会有别人插进来，所以不用
锁；但谁要是一直不切换，别人就都跑不了。成千上万个协程也只占一个线程。`,
  },
  code: bilingual`function* doubler() {
  let value = 1;
  for (;;) value = yield { to: "b", value: value * 2 };    // ${{
    en: "switch to b, hand it a value",
    zh: "切换到 b，交给它一个值",
  }}
}
next = coroutines.get(next.to).next(next.value).value;     // ${{
    en: "who runs now",
    zh: "现在轮到谁",
  }}`,
  async run(runner) {
    const { order, value } = await runner.runRealTime(
      { en: "two coroutines hand a number to and fro", zh: "两个协程来回传一个数" },
      (trace) => Promise.resolve(switching(trace)),
    );
    // 1 -> 2, 3, 6, 7, 14, 15
    return {
      ok: order.join("") === "ababab" && value === 15,
      summary: {
        en: `they ran in the order ${order.join(" ")}, and made 1 into ${value}`,
        zh: `运行顺序是 ${order.join(" ")}，把 1 变成了 ${value}`,
      },
    };
  },
});
