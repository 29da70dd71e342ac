/** `lifo`: the last item in is the first out. */
import { LifoQueue, Queue } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import { bilingual, joinNames, type Text } from "../text.ts";
import { drainFunctions, fillAndDrain } from "./parts/fill_and_drain.ts";

const plates = [1, 2, 3, 4].map((i): Text => bilingual`plate ${i} || 盘子 ${i}`);

export default {
  idea: {
    en: `A LifoQueue is a stack that behaves like a queue: put() and get() wait, but the last item
put is the first one taken, as with a pile of plates. Use it for work in which the newest item
matters most. An item at the bottom may wait for a long time.`,
    zh: `LifoQueue 是守队列规矩的栈：put() 和 get() 照样会等，但后放的先拿，就像一摞盘子。
最新的最要紧时用它；压在底下的可能要躺很久。`,
  },
  code: `const stack = new LifoQueue();
stack.put("[[plate || 盘子]] 1");
stack.put("[[plate || 盘子]] 2");
stack.get();                      // "[[plate || 盘子]] 2"`,
  kinds: ["worker", "task"],
  functions: drainFunctions,
  async run(runner) {
    const queue = await runner.runScheduled(
      bilingual`a queue || 队列`,
      (main) => fillAndDrain(main, main.register("queue", new Queue()), plates),
    );
    const stack = await runner.runScheduled(
      bilingual`a LIFO queue || 后进先出队列`,
      (main) => fillAndDrain(main, main.register("stack", new LifoQueue()), plates),
    );
    const fromQueue = joinNames(queue as Text[]);
    const fromStack = joinNames(stack as Text[]);
    return {
      ok: fromQueue.en === joinNames(plates).en &&
        fromStack.en === joinNames(plates.toReversed()).en,
      summary: bilingual`the queue gave ${fromQueue.en}; the stack gave ${fromStack.en} ||
        队列给出 ${fromQueue.zh}；栈给出 ${fromStack.zh}`,
    };
  },
} satisfies Lesson;
