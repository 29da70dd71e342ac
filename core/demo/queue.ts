/** `queue`: producers and consumers, and a bound that makes the fast wait for the slow. */
import { Queue } from "../sync/mod.ts";
import type { Agent } from "./agent.ts";
import { lesson } from "./lesson.ts";
import type { Prop } from "./props.ts";
import type { Thread } from "./stage.ts";

const [bound, each] = [3, 4];

type Props = { readonly queue: Prop<Queue> };

const roles = {
  async producer(me: Agent, { queue }: Props, { each }: { readonly each: number }) {
    for (let i = 1; i <= each; i++) await me.put(queue, `${me.name}.${i}`);
  },
  async consumer(me: Agent, { queue }: Props, most: Int32Array) {
    const got: string[] = [];
    for (;;) {
      most[0] = Math.max(most[0]!, queue.it.qsize());
      const item = await me.get<string>(queue);
      if (item === "no more") return got;
      got.push(item!);
      await me.sleeps(0.1);
    }
  },
};

export default lesson({
  idea: {
    en: `A queue is a list with a lock and two conditions in it, so that threads can hand things to
each other: put() waits while it is full, get() while it is empty. What went in first comes
out first. The bound is what makes it safe: without one a fast producer fills the memory; with
one it waits, and goes as fast as the consumers can.`,
    zh: `队列就是一个自带锁和两个条件变量的列表，线程之间靠它递东西：满了 put() 就等，空了 get()
就等；先放进去的先拿出来。上限是安全的关键：没有上限，快的生产者会把内存塞满；有了上限，它就
会等，跟着消费者的速度走。`,
  },
  code: `const queue = new Queue(3);       // new Worker(...).postMessage(queue.handle)

queue.put(item);                  // a producer: waits while three are in it
for (let item; (item = queue.get()) !== "no more"; ) work(item);   // a consumer`,
  threads: { usual: 4, least: 2, most: 20, even: true },
  kinds: ["worker", "task"],
  roles,
  async play(stage, { threads }) {
    const half = threads / 2;
    const most = new Int32Array(new SharedArrayBuffer(4));
    const got = await stage.act({
      en: `${half} producers and ${half} consumers, a queue of ${bound}`,
      zh: `${half} 个生产者，${half} 个消费者，队列上限 ${bound}`,
    }, async (main) => {
      const queue = main.prop("queue", new Queue(bound));
      const makers: Thread[] = [];
      const takers: Thread[] = [];
      for (let i = 1; i <= half; i++) {
        makers.push(await main.start(`p${i}`, roles.producer, { queue }, { each }));
        takers.push(await main.start(`c${i}`, roles.consumer, { queue }, most));
      }
      await main.join(makers);
      for (const _ of takers) await main.put(queue, "no more");
      await main.join(takers);
      return takers.flatMap((taker) => main.result(taker) as string[]);
    });
    const once = new Set(got).size === got.length && got.length === half * each;
    return {
      ok: once && most[0]! <= bound,
      said: {
        en: `${got.length} items arrived, each once; never more than ${most[0]} were in the queue`,
        zh: `${got.length} 件都送到了，每件恰好一次；队列里最多同时有 ${most[0]} 件`,
      },
    };
  },
});
