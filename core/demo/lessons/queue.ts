/**
 * `queue`: producers and consumers, with a bound that makes the fast wait for the slow; the errors
 * Full and Empty; sizes that are outdated at once; and the inside of a queue.
 */
import { Queue } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import type { WaitOptions } from "../runner/lesson_thread.ts";
import type { MainThread, ThreadHandle } from "../runner/main_thread.ts";
import type { Labeled } from "../runner/primitives.ts";
import type { Runner } from "../runner/runner.ts";
import { handMadeFunctions, runHandMadeQueues } from "./parts/hand_made_queue.ts";
import { bilingual } from "../text.ts";

const bound = 3;
const itemsPerProducer = 4;
/** The item that ends a consumer. */
const endOfItems = null;

type Primitives = { queue: Labeled<Queue> };

const functions = {
  async producer(thread, { queue }: Primitives, number: number) {
    for (let i = 1; i <= itemsPerProducer; i++) await thread.put(queue, `p${number}.${i}`);
  },
  /** @param maxSize the highest number of items in the queue */
  async consumer(thread, { queue }: Primitives, maxSize: Int32Array) {
    const items: string[] = [];
    for (;;) {
      maxSize[0] = Math.max(maxSize[0]!, queue.primitive.qsize());
      const item = await thread.get<string | typeof endOfItems>(queue);
      if (item === endOfItems) return items;
      items.push(item!);
      await thread.sleep(0.1);
    }
  },
  /** Reads the size, and takes an item later. @returns the size, and whether it got an item */
  async lookFirst(thread, { queue }: Primitives) {
    const size = await thread.step((n) => `queue.qsize() = ${n}`, () => queue.primitive.qsize());
    await thread.sleep(0.2);
    const item = await thread.get(queue, { blocking: false });
    return { size, success: item !== undefined };
  },
  ...handMadeFunctions,
} satisfies Lesson["functions"];

export default {
  idea: {
    en: `A queue is a list with a lock and conditions inside, through which threads pass items to
each other: put() waits while it is full, get() while it is empty. The first item in is the
first out. The bound makes it safe: without one, a fast producer fills the memory; with one, it
waits, and is as fast as the consumers.
A thread that must not wait calls put and get with block: false or with a timeout. They throw
Full or Empty if there is no free place, or no item, in time. To look first does not help:
qsize(), empty() and full() are right when they look, and may be wrong when you act, as another
thread acts in between. So just try, and handle the error.
Inside, one mutex guards everything, with a condition for each kind of wait: notEmpty (get),
notFull (put), allTasksDone (join). Two hooks, _put and _get (and _init, which creates the
list), decide the order: with other hooks the queue is a stack, or sorted by priority, and the
waits are the same.`,
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
  code: `const queue = new Queue(3);       // new Worker(...).postMessage(queue.handle)

queue.put(item);                  // [[a producer: waits while it holds three items || 生产者：里面有三个时就等]]
for (let item; (item = queue.get()) !== null; ) work(item);   // [[a consumer || 消费者]]

queue.put(item, { timeout: 0.3 });        // [[Full, if there is no free place within 0.3 s || 0.3 秒内没有空位：Full]]
queue.getNowait();                        // [[Empty, if there is nothing now || 现在没有数据：Empty]]
if (queue.qsize() > 0) queue.getNowait(); // [[may still throw Empty || 仍然可能 Empty]]`,
  threads: { default: 4, min: 2, max: 20, even: true },
  kinds: ["worker", "task"],
  functions,
  async run(runner, { threads }) {
    const { items, maxSize } = await produceAndConsume(runner, threads);
    const outcomes = await runner.runScheduled({
      en: "no free place, no item: without a wait, and with a timeout",
      zh: "没有空位，没有数据：马上返回，或过一会儿返回",
    }, tryWithoutWaiting);
    const looks = await runner.runScheduled({
      en: "two threads look at qsize(), and then get",
      zh: "两个线程先看 qsize()，再去拿",
    }, lookFirst);
    const handMade = await runHandMadeQueues(runner);
    const once = new Set(items).size === items.length &&
      items.length === threads / 2 * itemsPerProducer;
    const late = looks.filter(({ success }) => !success).length;
    const full = count(outcomes, "Full");
    const empty = count(outcomes, "Empty");
    return {
      ok: once && maxSize <= bound && outcomes.join(" ") === "put Full Full got Empty Empty" &&
        looks.every(({ size }) => size === 1) && late === 1 &&
        handMade.order === "1 2 3, 3 2 1" && handMade.joined,
      summary: bilingual`${items.length} items arrived once each, never more than ${maxSize} in
        the queue; calls with a limited wait got ${full} times Full and ${empty} times Empty; two
        threads saw a size of 1, and ${late} of them was too late; a hand-made queue gave
        ${handMade.order}, each with other hooks ||
        ${items.length} 件都送到了，每件恰好一次，队列里最多同时有 ${maxSize} 件；
        不肯等的得到了 ${full} 次 Full、${empty} 次 Empty；两个线程都看到里面有 1 件，
        其中 ${late} 个来晚了；自己做的队列换了钩子，先后给出 ${handMade.order}`,
    };
  },
} satisfies Lesson;

function count(outcomes: readonly string[], outcome: string): number {
  return outcomes.filter((each) => each === outcome).length;
}

async function produceAndConsume(runner: Runner, threads: number) {
  const pairs = threads / 2;
  const maxSize = new Int32Array(new SharedArrayBuffer(4));
  const title = bilingual`${pairs} producers and ${pairs} consumers, a queue of ${bound} ||
    ${pairs} 个生产者，${pairs} 个消费者，队列上限 ${bound}`;
  const items = await runner.runScheduled(title, async (main) => {
    const queue = main.register("queue", new Queue(bound));
    const producers: ThreadHandle[] = [];
    const consumers: ThreadHandle<string[]>[] = [];
    for (let i = 1; i <= pairs; i++) {
      producers.push(await main.start(`p${i}`, functions.producer, { queue }, i));
      consumers.push(await main.start(`c${i}`, functions.consumer, { queue }, maxSize));
    }
    await main.join(producers);
    for (const _ of consumers) await main.put(queue, endOfItems);
    return (await main.resultsOf(consumers)).flat();
  });
  return { items, maxSize: maxSize[0]! };
}

/** Puts and gets with a timeout, or without a wait. @returns the outcomes */
async function tryWithoutWaiting(main: MainThread): Promise<string[]> {
  const queue = main.register("queue", new Queue(1));
  const outcomes: string[] = [];
  const put = async (item: string, options = {}) => {
    outcomes.push(await main.put(queue, item, options) ? "put" : "Full");
  };
  const get = async (options: WaitOptions) => {
    outcomes.push(await main.get(queue, options) === undefined ? "Empty" : "got");
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
  return await main.resultsOf(await main.startEach(2, "t", functions.lookFirst, { queue }));
}
