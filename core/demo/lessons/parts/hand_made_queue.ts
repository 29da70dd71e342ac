/**
 * A queue built like Python's `queue.Queue`, of one lock and three conditions on it. Two hooks
 * decide the place of a new item and the next item to return. A part of the lesson `queue`.
 */
import { Condition, Lock } from "../../../sync/mod.ts";
import type { Agent } from "../../runner/lesson_thread.ts";
import type { Prop } from "../../runner/primitives.ts";
import type { Main, Stage } from "../../runner/runner.ts";

interface Parts {
  readonly mutex: Prop<Lock>;
  readonly notEmpty: Prop<Condition>;
  readonly notFull: Prop<Condition>;
  readonly allTasksDone: Prop<Condition>;
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
  async puts(me: Agent, parts: Parts, { words, order }: Memory) {
    const { mutex, notFull, notEmpty } = parts;
    for (const item of items) {
      await me.acquire(mutex);
      while (words[COUNT]! >= bound) await me.waitAt(notFull, mutex);
      await me.does(() => `_put(${item})`, () => {
        hooks[order].put(words.subarray(ITEMS), words[COUNT]!, item);
        words[COUNT]!++;
        words[UNFINISHED]!++;
      });
      await me.notify(notEmpty);
      await me.release(mutex);
    }
  },
  async gets(me: Agent, parts: Parts, { words, order }: Memory) {
    const { mutex, notFull, notEmpty, allTasksDone } = parts;
    const got: number[] = [];
    while (got.length < items.length) {
      await me.acquire(mutex);
      while (words[COUNT] === 0) await me.waitAt(notEmpty, mutex);
      got.push(
        await me.does((item) => `_get() = ${item}`, () => {
          const item = hooks[order].get(words.subarray(ITEMS), words[COUNT]!);
          words[COUNT]!--;
          return item;
        }),
      );
      await me.notify(notFull);
      await me.release(mutex);
      await me.sleeps(0.1);
      await me.acquire(mutex);
      const left = await me.does((n) => `unfinished_tasks = ${n}`, () => --words[UNFINISHED]!);
      if (left === 0) await me.notify(allTasksDone);
      await me.release(mutex);
    }
    return got;
  },
  async joins(me: Agent, { mutex, allTasksDone }: Parts, { words }: Memory) {
    await me.acquire(mutex);
    while (words[UNFINISHED]! > 0) await me.waitAt(allTasksDone, mutex);
    await me.release(mutex);
    return words[UNFINISHED];
  },
};

/**
 * Runs both orders with the same code except the hooks. @returns the items in order, and whether
 * join() was right
 */
export async function handMade(stage: Stage): Promise<{ out: string; joined: boolean }> {
  const outs: string[] = [];
  let joined = true;
  for (const order of ["Queue", "LifoQueue"] as const) {
    const title = {
      en: `a ${order} made by hand: one mutex, three conditions, two hooks`,
      zh: `自己做一个 ${order}：一把互斥锁、三个条件变量、两个钩子`,
    };
    const { got, left } = await stage.act(title, (main) => play(main, order));
    outs.push(got.join(" "));
    joined &&= left === 0;
  }
  return { out: outs.join(", "), joined };
}

async function play(main: Main, order: Memory["order"]) {
  const mutex = main.prop("mutex", new Lock());
  const parts = {
    mutex,
    notEmpty: main.prop("notEmpty", new Condition(mutex.it)),
    notFull: main.prop("notFull", new Condition(mutex.it)),
    allTasksDone: main.prop("allTasksDone", new Condition(mutex.it)),
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
