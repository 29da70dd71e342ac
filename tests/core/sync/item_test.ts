/** What goes through a queue, and what does not. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Queue } from "../../../core/sync/mod.ts";
import { Threads } from "./_threads.ts";

const threads = await Threads.make(1);

function sent(item: unknown): unknown {
  const queue = new Queue(0, { bytes: 1 << 16 });
  queue.put(item);
  return queue.get();
}

Deno.test("a queue carries values that can be cloned", () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  const items = [
    0,
    -0,
    1.5,
    NaN,
    Infinity,
    2 ** 53,
    10n ** 30n,
    true,
    false,
    null,
    undefined,
    "",
    "héllo 😀",
    "\ud800 lone",
    "\ufeffmark",
    "\0",
    ...[new Date(5), /x/gi, new Map([[1, { a: [2] }]]), new Set(["x"])],
    ...[[], [1, [2, [3]]], [undefined, , 3], { a: { b: null } }, cyclic], // deno-lint-ignore no-sparse-arrays

    new ArrayBuffer(4),
    new Uint8Array([1, 2]),
    new Float64Array([0.5]),
    new DataView(new ArrayBuffer(2)),
    ,
    new Uint8Array(20_000).map((_, i) => i * 7),
    "long ".repeat(5000),
  ];
  for (const item of items) assert.deepEqual(sent(item), item);
  const error = sent(new TypeError("why", { cause: 5 })) as TypeError;
  assert.ok(error instanceof TypeError);
  assert.deepEqual([error.message, error.cause], ["why", 5]);
});

Deno.test("a queue carries any plain value of JavaScript", () => {
  const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true });
  fc.assert(
    fc.property(anything, (item) => assert.deepEqual(sent(item), structuredClone(item))),
    { numRuns: 300 },
  );
});

Deno.test("a queue refuses a value that can't be cloned, and stays unchanged", () => {
  const queue = new Queue();
  const shared = new SharedArrayBuffer(8);
  const items = [
    () => {},
    Symbol(),
    { f: () => {} },
    shared,
    { a: [shared] },
    new Int32Array(shared),
  ];
  for (const item of items) assert.throws(() => queue.put(item), { name: "DataCloneError" });
  assert.throws(() => queue.put(shared), { message: "shared memory can't go through a queue" });
  assert.equal(queue.qsize(), 0);
  assert.equal(queue.unfinishedTasks, 0);
  queue.put("fine");
  assert.equal(queue.get(), "fine");
});

Deno.test("items of all sizes arrive whole in another isolate, and come back", async () => {
  const [there, back] = [new Queue(3, { bytes: 1 << 15 }), new Queue(3, { bytes: 1 << 15 })];
  const thread = threads.start(({ Queue }, [there, back]) => {
    const [from, to] = [Queue.attach(there!), Queue.attach(back!)];
    for (let item; (item = from.get()) !== undefined;) to.put(item);
  }, [there.handle, back.handle]);
  for (let size = 1; size < 30_000; size = Math.ceil(size * 1.7)) {
    const bytes = crypto.getRandomValues(new Uint8Array(size));
    await there.putAsync({ size, bytes });
    await there.putAsync("x".repeat(size % 1000));
    assert.deepEqual(await back.getAsync(), { size, bytes });
    assert.equal(await back.getAsync(), "x".repeat(size % 1000));
  }
  await there.putAsync(undefined);
  await thread.result;
});
