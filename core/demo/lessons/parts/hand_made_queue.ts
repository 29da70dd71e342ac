/**
 * A queue built like Python's `queue.Queue`, of one lock and three conditions on it. Two hooks
 * decide the place of a new item and the next item to return. A part of the lesson `queue`.
 */
import { Condition, Lock } from "../../../sync/mod.ts";
import type { LessonThread } from "../../runner/lesson_thread.ts";
import type { Labeled } from "../../runner/primitives.ts";
import type { MainThread } from "../../runner/main_thread.ts";
import type { Runner } from "../../runner/runner.ts";

interface Parts {
  readonly mutex: Labeled<Lock>;
  readonly notEmpty: Labeled<Condition>;
  readonly notFull: Labeled<Condition>;
  readonly allTasksDone: Labeled<Condition>;
}

/** Shared memory: the number of items, the number of unfinished ones, and the items. */
interface Memory {
  readonly words: Int32Array;
  readonly order: keyof typeof hooks;
}

const [COUNT, UNFINISHED, ITEMS] = [0, 1, 2];
const bound = 3;
const items = [1, 2, 3];

/** The index at which an item is put, and that of the next item to get, among `count` items. */
const hooks = {
  Queue: { put: append, get: first },
  LifoQueue: { put: append, get: last },
};

function append(list: Int32Array, count: number, item: number): void {
  list[count] = item;
}

function first(list: Int32Array): number {
  const item = list[0]!;
  list.copyWithin(0, 1);
  return item;
}

function last(list: Int32Array, count: number): number {
  return list[count - 1]!;
}

export const handMadeRoles = {
  async puts(thread: LessonThread, parts: Parts, { words, order }: Memory) {
    const { mutex, notFull, notEmpty } = parts;
    for (const item of items) {
      await thread.acquire(mutex);
      while (words[COUNT]! >= bound) await thread.waitForCondition(notFull, mutex);
      await thread.step(() => `_put(${item})`, () => {
        hooks[order].put(words.subarray(ITEMS), words[COUNT]!, item);
        words[COUNT]!++;
        words[UNFINISHED]!++;
      });
      await thread.notify(notEmpty);
      await thread.release(mutex);
    }
  },
  async gets(thread: LessonThread, parts: Parts, { words, order }: Memory) {
    const { mutex, notFull, notEmpty, allTasksDone } = parts;
    const got: number[] = [];
    while (got.length < items.length) {
      await thread.acquire(mutex);
      while (words[COUNT] === 0) await thread.waitForCondition(notEmpty, mutex);
      got.push(
        await thread.step((item) => `_get() = ${item}`, () => {
          const item = hooks[order].get(words.subarray(ITEMS), words[COUNT]!);
          words[COUNT]!--;
          return item;
        }),
      );
      await thread.notify(notFull);
      await thread.release(mutex);
      await thread.sleep(0.1);
      await thread.acquire(mutex);
      const left = await thread.step((n) => `unfinished_tasks = ${n}`, () => --words[UNFINISHED]!);
      if (left === 0) await thread.notify(allTasksDone);
      await thread.release(mutex);
    }
    return got;
  },
  async joins(thread: LessonThread, { mutex, allTasksDone }: Parts, { words }: Memory) {
    await thread.acquire(mutex);
    while (words[UNFINISHED]! > 0) await thread.waitForCondition(allTasksDone, mutex);
    await thread.release(mutex);
    return words[UNFINISHED];
  },
};

/**
 * Runs both orders with the same code except the hooks. @returns the items in order, and whether
 * join() was right
 */
export async function handMade(runner: Runner): Promise<{ out: string; joined: boolean }> {
  const outs: string[] = [];
  let joined = true;
  for (const order of ["Queue", "LifoQueue"] as const) {
    const title = {
      en: `a ${order} made by hand: one mutex, three conditions, two hooks`,
      zh: `自己做一个 ${order}：一把互斥锁、三个条件变量、两个钩子`,
    };
    const { got, left } = await runner.runScheduled(title, (main) => play(main, order));
    outs.push(got.join(" "));
    joined &&= left === 0;
  }
  return { out: outs.join(", "), joined };
}

async function play(main: MainThread, order: Memory["order"]) {
  const mutex = main.register("mutex", new Lock());
  const parts = {
    mutex,
    notEmpty: main.register("notEmpty", new Condition(mutex.primitive)),
    notFull: main.register("notFull", new Condition(mutex.primitive)),
    allTasksDone: main.register("allTasksDone", new Condition(mutex.primitive)),
  };
  const memory = { words: new Int32Array(new SharedArrayBuffer(4 * (ITEMS + bound + 1))), order };
  // All items are put before the first is got, so that the hooks alone decide the order.
  const putter = await main.start({ en: "putter", zh: "放者" }, handMadeRoles.puts, parts, memory);
  await main.join([putter]);
  const joiner = await main.start({ en: "joiner", zh: "等者" }, handMadeRoles.joins, parts, memory);
  const getter = await main.start({ en: "getter", zh: "取者" }, handMadeRoles.gets, parts, memory);
  await main.join([getter, joiner]);
  return { got: main.result(getter) as number[], left: main.result(joiner) };
}
