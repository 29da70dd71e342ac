/**
 * `queue`: producers and consumers, and a bound that makes the fast wait for the slow; Full and
 * Empty for calls that do not wait; why the size may be outdated at once; and how a queue is built
 * (hand_made_queue.ts).
 */
import { Queue } from "../../sync/mod.ts";
import type { LessonThread } from "../runner/lesson_thread.ts";
import { handMade, handMadeRoles } from "./parts/hand_made_queue.ts";
import { lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import type { MainThread, ThreadHandle } from "../runner/main_thread.ts";
import type { Runner } from "../runner/runner.ts";
import { bilingual } from "../text.ts";

const [bound, each] = [3, 4];
/** The item that ends a consumer. */
const end = null;

type Props = { readonly queue: Labeled<Queue> };

const threadFunctions = {
  async producer(
    thread: LessonThread,
    { queue }: Props,
    { each, number }: Record<"each" | "number", number>,
  ) {
    for (let i = 1; i <= each; i++) await thread.put(queue, `p${number}.${i}`);
  },
  async consumer(thread: LessonThread, { queue }: Props, most: Int32Array) {
    const got: string[] = [];
    for (;;) {
      most[0] = Math.max(most[0]!, queue.primitive.qsize());
      const item = await thread.get<string | typeof end>(queue);
      if (item === end) return got;
      got.push(item!);
      await thread.sleep(0.1);
    }
  },
  /** Reads the number of items, and takes one later. @returns the number, and whether it got one */
  async trusting(thread: LessonThread, { queue }: Props) {
    const seen = await thread.step((n) => `queue.qsize() = ${n}`, () => queue.primitive.qsize());
    await thread.sleep(0.2);
    const got = await thread.get(queue, { blocking: false });
    return { seen, got: got !== undefined };
  },
  ...handMadeRoles,
};

export default lesson({
  idea: {
    en: `A queue is a list with a lock and conditions in it, so that threads can hand things to each
other: put() waits while it is full, get() while it is empty. What went in first comes out
first. The bound is what makes it safe: without one a fast producer fills the memory; with
one it waits, and goes as fast as the consumers can.
Who must not wait says so: put and get with block: false, or with a timeout, throw Full or
Empty when there is no room, or no item, in time. Looking first is no way: qsize(), empty()
and full() are right when they look and may be wrong when you act, as another thread was
there in between. So just try, and take the error for the answer.
Inside, one mutex guards everything, and three conditions on it are what is waited for:
notEmpty (get), notFull (put), allTasksDone (join). Two hooks, _put and _get (and _init, which
makes the list), decide the order: replace them, and the queue is a stack, or sorted by
priority. All the waiting stays as it is.`,
    zh: `队列就是一个自带锁和条件变量的列表，线程之间靠它递东西：满了 put() 就等，空了 get()
就等；先放进去的先拿出来。上限是安全的关键：没有上限，快的生产者会把内存塞满；有了上限，它就
会等，跟着消费者的速度走。
不能等的线程可以明说：put 和 get 带上 block: false 或超时，到时没有空位就抛出 Full，没有数据
就抛出 Empty。先看一眼再动手是靠不住的：qsize()、empty()、full() 看的时候是对的，等你动手时
可能已经错了，因为中间别的线程来过。所以直接去试，把错误当作回答。
队列里面，一把互斥锁（mutex）保护一切，锁上有三个条件变量，分别对应三种等待：notEmpty（get）、
notFull（put）、allTasksDone（join）。两个钩子 _put 和 _get（以及创建列表的 _init）决定顺序：
换掉它们，队列就变成了栈，或按优先级排序；等待的部分一点不用改。`,
  },
  code: bilingual`const queue = new Queue(3);       // new Worker(...).postMessage(queue.handle)

queue.put(item);                  // ${{
    en: "a producer: waits while three are in it",
    zh: "生产者：里面有三个时就等",
  }}
for (let item; (item = queue.get()) !== null; ) work(item);   // ${{
    en: "a consumer",
    zh: "消费者",
  }}

queue.put(item, { timeout: 0.3 });        // ${{
    en: "Full, if there is no room for 0.3 s",
    zh: "0.3 秒内没有空位：Full",
  }}
queue.getNowait();                        // ${{
    en: "Empty, if there is nothing now",
    zh: "现在没有数据：Empty",
  }}
if (queue.qsize() > 0) queue.getNowait(); // ${{
    en: "may be Empty all the same",
    zh: "仍然可能 Empty",
  }}`,
  threads: { default: 4, min: 2, max: 20, even: true },
  kinds: ["worker", "task"],
  threadFunctions,
  async run(runner, { threads }) {
    const { got, most } = await flow(runner, threads);
    const outcomes = await runner.runScheduled({
      en: "no room, no item: at once, and after a while",
      zh: "没有空位，没有数据：马上返回，或过一会儿返回",
    }, impatient);
    const looked = await runner.runScheduled({
      en: "two look at qsize(), and then take",
      zh: "两个线程先看 qsize()，再去拿",
    }, lookFirst);
    const { out, joined } = await handMade(runner);
    const once = new Set(got).size === got.length && got.length === threads / 2 * each;
    const empty = looked.filter(({ got }) => !got).length;
    const misled = looked.every(({ seen }) => seen === 1) && empty === 1;
    const tried = outcomes.join(" ");
    return {
      ok: once && most <= bound && tried === "put Full Full got Empty Empty" && misled &&
        out === "1 2 3, 3 2 1" && joined,
      summary: {
        en:
          `${got.length} items arrived, each once, never more than ${most} in the queue; who did ` +
          `not wait got ${count(outcomes, "Full")} times Full and ${
            count(outcomes, "Empty")
          } times ` +
          `Empty; two saw a size of 1, and ${empty} of them came too late; the same queue made by ` +
          `hand gave ${out} with other hooks`,
        zh: `${got.length} 件都送到了，每件恰好一次，队列里最多同时有 ${most} 件；不肯等的得到了 ` +
          `${count(outcomes, "Full")} 次 Full、${
            count(outcomes, "Empty")
          } 次 Empty；两个线程都看到` +
          `里面有 1 件，其中 ${empty} 个来晚了；自己做的队列换了钩子，先后给出 ${out}`,
      },
    };
  },
});

function count(outcomes: readonly string[], outcome: string): number {
  return outcomes.filter((each) => each === outcome).length;
}

async function flow(runner: Runner, threads: number) {
  const half = threads / 2;
  const most = new Int32Array(new SharedArrayBuffer(4));
  const got = await runner.runScheduled({
    en: `${half} producers and ${half} consumers, a queue of ${bound}`,
    zh: `${half} 个生产者，${half} 个消费者，队列上限 ${bound}`,
  }, async (main) => {
    const queue = main.register("queue", new Queue(bound));
    const makers: ThreadHandle[] = [];
    const takers: ThreadHandle[] = [];
    for (let i = 1; i <= half; i++) {
      const args = { each, number: i };
      makers.push(await main.start(`p${i}`, threadFunctions.producer, { queue }, args));
      takers.push(await main.start(`c${i}`, threadFunctions.consumer, { queue }, most));
    }
    await main.join(makers);
    for (const _ of takers) await main.put(queue, end);
    await main.join(takers);
    return takers.flatMap((taker) => main.result(taker) as string[]);
  });
  return { got, most: most[0]! };
}

/** Makes puts and gets with a short wait or none. @returns the outcome of each */
async function impatient(main: MainThread): Promise<string[]> {
  const queue = main.register("queue", new Queue(1));
  const outcomes: string[] = [];
  const put = async (item: string, how = {}) => {
    outcomes.push(await main.put(queue, item, how) ? "put" : "Full");
  };
  const get = async (how: Parameters<MainThread["get"]>[1]) => {
    outcomes.push(await main.get(queue, how) === undefined ? "Empty" : "got");
  };
  await put("a");
  await put("b", { blocking: false });
  await put("b", { timeout: 0.3 });
  await get({ blocking: false });
  await get({ blocking: false });
  await get({ timeout: 0.3 });
  return outcomes;
}

async function lookFirst(main: MainThread) {
  const queue = main.register("queue", new Queue());
  await main.put(queue, "a");
  const threads: ThreadHandle[] = [];
  for (const name of ["t1", "t2"]) {
    threads.push(await main.start(name, threadFunctions.trusting, { queue }, undefined));
  }
  await main.join(threads);
  return threads.map((thread) => main.result(thread) as { seen: number; got: boolean });
}
