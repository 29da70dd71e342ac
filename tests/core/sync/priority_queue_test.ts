import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { PriorityQueue } from "../../../core/sync/mod.ts";

function drained<T>(queue: PriorityQueue<T>): T[] {
  const items = [];
  while (!queue.empty()) items.push(queue.get());
  return items;
}

Deno.test("PriorityQueue: numbers, lowest first", () => {
  fc.assert(fc.property(fc.array(fc.double({ noNaN: true })), (numbers) => {
    const queue = new PriorityQueue<number>(0, { bytes: 1 << 14 });
    for (const n of numbers) queue.put(n);
    const expected = numbers.toSorted((a, b) => a === b ? 0 : a < b ? -1 : 1); // stable, -0 is 0
    assert.deepEqual(drained(queue), expected);
  }));
});

Deno.test("PriorityQueue: arrays, as Python compares tuples", () => {
  const queue = new PriorityQueue();
  const items = [[2, 0], [1, 5, 1], [1, 5], [1, [2, 1]], [1, [2]], [1, "b"], [1, "a\0"], [1, "a"]];
  for (const item of items) queue.put(item);
  assert.deepEqual(drained(queue), [
    ...[[1, 5], [1, 5, 1], [1, "a"], [1, "a\0"], [1, "b"], [1, [2]], [1, [2, 1]], [2, 0]],
  ]);
});

Deno.test("PriorityQueue: any arrays of numbers and strings, against a model", () => {
  const part = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.string({ maxLength: 3 }));
  const compare = (a: unknown, b: unknown): number => {
    if (Array.isArray(a) && Array.isArray(b)) {
      for (let i = 0; i < Math.min(a.length, b.length); i++) {
        const order = compare(a[i], b[i]);
        if (order !== 0) return order;
      }
      return a.length - b.length;
    }
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === "string" && typeof b === "string") {
      return Buffer.compare(Buffer.from(a), Buffer.from(b));
    }
    return typeof a === "number" ? -1 : 1;
  };
  fc.assert(fc.property(fc.array(fc.array(part, { maxLength: 3 })), (items) => {
    const queue = new PriorityQueue<unknown[]>(0, { bytes: 1 << 16 });
    for (const item of items) queue.put(item);
    assert.deepEqual(drained(queue), items.toSorted(compare));
  }));
});

Deno.test("PriorityQueue: items of one priority keep their order", () => {
  const queue = new PriorityQueue();
  for (let i = 0; i < 200; i++) queue.put([i % 3, { i }]);
  const expected = [0, 1, 2].flatMap((p) =>
    Array.from({ length: 200 }, (_, i) => [i % 3, { i }] as const).filter(([q]) => p === q)
  );
  assert.deepEqual(drained(queue), expected);
  for (let i = 0; i < 200; i++) queue.put(200 - i, { priority: i % 3 });
  const first = drained(queue).slice(0, 3);
  assert.deepEqual(first, [200, 197, 194], "the priority counts, not the item");
});

Deno.test("PriorityQueue: put can name the priority of an item", async () => {
  const queue = new PriorityQueue<string>(2);
  queue.put("later", { priority: [2, 1] });
  queue.putNowait("soon", { priority: [1, 9] });
  const waiting = queue.putAsync("now", { priority: [-Infinity] });
  assert.equal(queue.get(), "soon");
  await waiting;
  assert.deepEqual(drained(queue), ["now", "later"]);
});

Deno.test("PriorityQueue: long keys are compared to their end", () => {
  const queue = new PriorityQueue<string>();
  const long = "x".repeat(1000);
  for (const end of ["c", "a", "", "b"]) queue.put(long + end);
  assert.deepEqual(drained(queue), ["", "a", "b", "c"].map((end) => long + end));
});

Deno.test("PriorityQueue: an item without an order needs a priority", () => {
  const queue = new PriorityQueue();
  for (const item of [{}, null, undefined, NaN, [NaN], 5n]) {
    assert.throws(() => queue.put(item), TypeError);
  }
  assert.throws(() => queue.put(1, { priority: {} as never }), TypeError);
  queue.put({ fine: true }, { priority: 0 });
  queue.put([0, null, 1]);
  queue.put([0, {}, 0]);
  assert.deepEqual(drained(queue), [{ fine: true }, [0, null, 1], [0, {}, 0]]);
});
