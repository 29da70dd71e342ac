/** The queues against a model: an array, and CPython's rules. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { LifoQueue, PriorityQueue, Queue } from "../../../core/sync/mod.ts";

interface Model {
  items: number[];
  maxsize: number;
  unfinished: number;
  shut: boolean;
}

type Step =
  | { readonly verb: "put"; readonly item: number }
  | { readonly verb: "get" }
  | { readonly verb: "taskDone" }
  | { readonly verb: "maxsize"; readonly to: number }
  | { readonly verb: "shutdown"; readonly immediate: boolean };

/** Which item comes out, by the kind of queue. */
const next: Record<string, (items: number[]) => number> = {
  Queue: () => 0,
  LifoQueue: (items) => items.length - 1,
  PriorityQueue: (items) => items.indexOf(Math.min(...items)),
};

function expected(model: Model, step: Step, pick: (items: number[]) => number): unknown {
  const { items, maxsize } = model;
  switch (step.verb) {
    case "put":
      if (model.shut) return "ShutDown";
      if (maxsize > 0 && items.length >= maxsize) return "Full";
      items.push(step.item);
      model.unfinished++;
      return undefined;
    case "get":
      if (items.length > 0) return items.splice(pick(items), 1)[0];
      return model.shut ? "ShutDown" : "Empty";
    case "taskDone":
      if (model.unfinished === 0) return "RangeError";
      model.unfinished--;
      return undefined;
    case "maxsize":
      model.maxsize = step.to;
      return undefined;
    case "shutdown":
      model.shut = true;
      if (!step.immediate) return undefined;
      model.unfinished = Math.max(0, model.unfinished - items.length);
      model.items = [];
      return undefined;
  }
}

function actual(queue: Queue<number> | LifoQueue<number> | PriorityQueue<number>, step: Step) {
  try {
    if (step.verb === "put") queue.putNowait(step.item);
    else if (step.verb === "get") return queue.getNowait();
    else if (step.verb === "taskDone") queue.taskDone();
    else if (step.verb === "maxsize") queue.maxsize = step.to;
    else queue.shutdown(step.immediate);
  } catch (error) {
    return (error as Error).name;
  }
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ verb: fc.constant("put"), item: fc.nat(9) }) },
  { weight: 16, arbitrary: fc.record({ verb: fc.constant("get") }) },
  { weight: 6, arbitrary: fc.record({ verb: fc.constant("taskDone") }) },
  {
    weight: 2,
    arbitrary: fc.record({ verb: fc.constant("maxsize"), to: fc.integer({ min: -1, max: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("shutdown"), immediate: fc.boolean() }) },
) as fc.Arbitrary<Step>;

for (const Type of [Queue, LifoQueue, PriorityQueue]) {
  Deno.test(`${Type.name}: it behaves as its model`, () => {
    const steps = fc.array(step, { maxLength: 100, size: "max" });
    fc.assert(
      fc.property(steps, (steps) => {
        const model: Model = { items: [], maxsize: 4, unfinished: 0, shut: false };
        const queue = new Type<number>(4, { bytes: 1 << 13, waiters: 1 });
        for (const step of steps) {
          assert.deepEqual(actual(queue, step), expected(model, step, next[Type.name]!));
          assert.equal(queue.qsize(), model.items.length);
          assert.equal(queue.unfinishedTasks, model.unfinished);
          assert.equal(queue.join({ timeout: 0 }), model.unfinished === 0);
        }
      }),
      { numRuns: 150 },
    );
  });
}
