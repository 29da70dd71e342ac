/** `lifo`: what went in last comes out first. */
import { LifoQueue, Queue } from "../../sync/mod.ts";
import type { LessonThread } from "../runner/lesson_thread.ts";
import { lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import { fillAndDrain } from "./parts/fill_and_drain.ts";
import { bilingual, joinNames, type Text } from "../text.ts";

const threadFunctions = {
  async getter(
    thread: LessonThread,
    { queue }: { readonly queue: Labeled<Queue | LifoQueue> },
    n: number,
  ) {
    const got: Text[] = [];
    while (got.length < n) got.push((await thread.get<Text>(queue))!);
    return got;
  },
};

const plates = [1, 2, 3, 4].map((i): Text => ({ en: `plate ${i}`, zh: `盘子 ${i}` }));

const [first, second] = plates.map(({ en, zh }) => ({ en: `"${en}"`, zh: `"${zh}"` }));

export default lesson({
  idea: {
    en: `A LifoQueue is a stack with the manners of a queue: put() and get() wait, and what was put
last is taken first, as with plates. Take it for work where the newest matters most. What
lies at the bottom may lie there for long.`,
    zh: `LifoQueue 是守队列规矩的栈：put() 和 get() 照样会等，但后放的先拿，就像一摞盘子。
最新的最要紧时用它；压在底下的可能要躺很久。`,
  },
  code: bilingual`const stack = new LifoQueue();
stack.put(${first!});
stack.put(${second!});
stack.get();                      // ${second!}`,
  kinds: ["worker", "task"],
  threadFunctions,
  async run(runner) {
    const queue = await runner.runScheduled(
      { en: "a queue", zh: "队列" },
      (main) =>
        fillAndDrain(main, threadFunctions.getter, main.register("queue", new Queue()), plates),
    );
    const stack = await runner.runScheduled(
      { en: "a LIFO queue", zh: "后进先出队列" },
      (main) =>
        fillAndDrain(main, threadFunctions.getter, main.register("stack", new LifoQueue()), plates),
    );
    const [first, last] = [joinNames(queue as Text[]), joinNames(stack as Text[])];
    return {
      ok: first.en === joinNames(plates).en && last.en === joinNames(plates.toReversed()).en,
      summary: {
        en: `the queue gave ${first.en}; the stack gave ${last.en}`,
        zh: `队列给出 ${first.zh}；栈给出 ${last.zh}`,
      },
    };
  },
});
