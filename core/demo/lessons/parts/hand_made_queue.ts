/**
 * A queue for the lesson `queue`, built like Python's `queue.Queue` from one lock and three
 * conditions. Two hooks decide the place of a new item, and the item to return next.
 */
import { Condition, Lock } from "../../../sync/mod.ts";
import type { LessonThread } from "../../runner/lesson_thread.ts";
import type { MainThread } from "../../runner/main_thread.ts";
import type { Labeled } from "../../runner/primitives.ts";
import type { Runner } from "../../runner/runner.ts";
import { bilingual, type Text } from "../../text.ts";

type Parts = {
  readonly mutex: Labeled<Lock>;
  readonly notEmpty: Labeled<Condition>;
  readonly notFull: Labeled<Condition>;
  readonly allTasksDone: Labeled<Condition>;
};

interface State {
  /** Shared memory: the number of items, the number of unfinished ones, and the items. */
  readonly memory: Int32Array;
  readonly order: keyof typeof hooks;
}

/** Indexes into the memory. */
const [COUNT, UNFINISHED, ITEMS] = [0, 1, 2];
const bound = 3;
const items = [1, 2, 3];

/** The hooks for each order; they get the list of items and their number. */
const hooks = {
  Queue: { put: append, get: removeFirst },
  LifoQueue: { put: append, get: removeLast },
};

function append(list: Int32Array, count: number, item: number): void {
  list[count] = item;
}

function removeFirst(list: Int32Array): number {
  const item = list[0]!;
  list.copyWithin(0, 1);
  return item;
}

function removeLast(list: Int32Array, count: number): number {
  return list[count - 1]!;
}

export const handMadeFunctions = {
  async putter(thread: LessonThread, parts: Parts, { memory, order }: State) {
    const { mutex, notFull, notEmpty } = parts;
    for (const item of items) {
      await thread.acquire(mutex);
      while (memory[COUNT]! >= bound) await thread.waitForCondition(notFull, mutex);
      await thread.step(() => `_put(${item})`, () => {
        hooks[order].put(memory.subarray(ITEMS), memory[COUNT]!, item);
        memory[COUNT]!++;
        memory[UNFINISHED]!++;
      });
      await thread.notify(notEmpty);
      await thread.release(mutex);
    }
  },
  async getter(thread: LessonThread, parts: Parts, { memory, order }: State) {
    const { mutex, notFull, notEmpty, allTasksDone } = parts;
    const received: number[] = [];
    while (received.length < items.length) {
      await thread.acquire(mutex);
      while (memory[COUNT] === 0) await thread.waitForCondition(notEmpty, mutex);
      received.push(
        await thread.step((item) => `_get() = ${item}`, () => {
          const item = hooks[order].get(memory.subarray(ITEMS), memory[COUNT]!);
          memory[COUNT]!--;
          return item;
        }),
      );
      await thread.notify(notFull);
      await thread.release(mutex);
      await thread.sleep(0.1);
      await thread.acquire(mutex);
      const unfinished = await thread.step(
        (n) => `unfinished_tasks = ${n}`,
        () => --memory[UNFINISHED]!,
      );
      if (unfinished === 0) await thread.notify(allTasksDone);
      await thread.release(mutex);
    }
    return received;
  },
  async joiner(thread: LessonThread, { mutex, allTasksDone }: Parts, { memory }: State) {
    await thread.acquire(mutex);
    while (memory[UNFINISHED]! > 0) await thread.waitForCondition(allTasksDone, mutex);
    await thread.release(mutex);
    return memory[UNFINISHED];
  },
};

/**
 * Runs a queue of each order, with the same code but for the hooks.
 *
 * @returns the items in the order in which they came out, and whether join() waited for all tasks
 */
export async function runHandMadeQueues(runner: Runner) {
  const outputs: string[] = [];
  let joined = true;
  for (const order of ["Queue", "LifoQueue"] as const) {
    const title = bilingual`a hand-made ${order}: one mutex, three conditions, two hooks ||
      自己做一个 ${order}：一把互斥锁、三个条件变量、两个钩子`;
    const { received, unfinished } = await runner.runScheduled(title, (main) => run(main, order));
    outputs.push(received.join(" "));
    joined &&= unfinished === 0;
  }
  return { order: outputs.join(", "), joined };
}

async function run(main: MainThread, order: State["order"]) {
  const mutex = main.register("mutex", new Lock());
  const parts = {
    mutex,
    notEmpty: main.register("notEmpty", new Condition(mutex.primitive)),
    notFull: main.register("notFull", new Condition(mutex.primitive)),
    allTasksDone: main.register("allTasksDone", new Condition(mutex.primitive)),
  };
  const memory = new Int32Array(new SharedArrayBuffer(4 * (ITEMS + bound + 1)));
  const start = (name: Text, code: keyof typeof handMadeFunctions) =>
    main.start<Parts, State, unknown>(name, handMadeFunctions[code], parts, { memory, order });
  // All items are put before the first get, so the hooks alone decide the order.
  await main.join([await start(bilingual`putter || 放者`, "putter")]);
  const joiner = await start(bilingual`joiner || 等者`, "joiner");
  const getter = await start(bilingual`getter || 取者`, "getter");
  const [received, unfinished] = await main.resultsOf([getter, joiner]);
  return { received: received as number[], unfinished };
}
