/** What all three queues have in common. */
import assert from "node:assert/strict";
import { Empty, Full, LifoQueue, PriorityQueue, Queue, ShutDown } from "../../../core/sync/mod.ts";
import { Threads } from "./_threads.ts";
import { untilWaiting, used } from "./_waiting.ts";

const threads = await Threads.make(6);
const shutDown = { name: "ShutDown" };

for (const Type of [Queue, LifoQueue, PriorityQueue]) {
  const { name } = Type;
  const make = (maxsize?: number, options?: { bytes?: number; waiters?: number }) =>
    new Type<unknown>(maxsize, options);
  const bytes = name === "PriorityQueue" ? 1280 : 640; // where an item lies beside its key

  Deno.test(`${name}: it keeps its order, reports its size, and has a bound`, () => {
    const queue = make(5);
    for (let round = 0; round < 2; round++) {
      assert.deepEqual([queue.empty(), queue.full(), queue.qsize()], [true, false, 0]);
      for (const n of [111, 333, 222]) queue.put(n);
      const expected = { Queue: [111, 333, 222], LifoQueue: [222, 333, 111] }[name];
      const order = [queue.get(), queue.get(), queue.get()];
      assert.deepEqual(order, expected ?? [111, 222, 333]);
      for (let i = 0; i < 4; i++) queue.put(i);
      assert.deepEqual([queue.empty(), queue.full(), queue.qsize()], [false, false, 4]);
      queue.put(10);
      assert.deepEqual([queue.empty(), queue.full(), queue.qsize()], [false, true, 5]);
      assert.throws(() => queue.put(15, { block: false }), Full);
      assert.throws(() => queue.put(15, { timeout: 0.01 }), Full);
      assert.throws(() => queue.putNowait(15), Full);
      for (let i = 0; i < 5; i++) queue.get();
      assert.throws(() => queue.get({ block: false }), Empty);
      assert.throws(() => queue.get({ timeout: 0.01 }), Empty);
      assert.throws(() => queue.getNowait(), Empty);
    }
  });

  Deno.test(`${name}: tasks also get Full and Empty`, async () => {
    const queue = make(1);
    await queue.putAsync(1, { timeout: 0 });
    await assert.rejects(queue.putAsync(2, { timeout: 0.01 }), Full);
    await assert.rejects(queue.putAsync(2, { signal: AbortSignal.timeout(5) }), {
      name: "TimeoutError",
    });
    assert.equal(await queue.getAsync({ timeout: 0 }), 1);
    await assert.rejects(queue.getAsync({ timeout: 0.01 }), Empty);
    const aborted = AbortSignal.abort(new Error("enough"));
    await assert.rejects(queue.getAsync({ signal: aborted }), { message: "enough" });
    await assert.rejects(queue.putAsync(1, { signal: aborted }), { message: "enough" });
    assert.equal(queue.unfinishedTasks, 1);
    assert.equal(used(queue.handle), 0);
  });

  Deno.test(`${name}: negative timeouts are refused, except with block: false`, async () => {
    const queue = make();
    assert.throws(() => queue.put(1, { timeout: -1 }), RangeError);
    await assert.rejects(queue.putAsync(1, { timeout: -1 }), RangeError);
    assert.throws(() => queue.get({ timeout: -1 }), RangeError);
    await assert.rejects(queue.getAsync({ timeout: -1 }), RangeError);
    assert.throws(() => queue.join({ timeout: -1 }), RangeError);
    assert.throws(() => queue.get({ block: false, timeout: -1 }), Empty);
    assert.equal(queue.qsize(), 0);
  });

  Deno.test(`${name}: invalid bounds are refused`, () => {
    assert.throws(() => make(0.5), RangeError);
    assert.throws(() => make(NaN), RangeError);
    assert.throws(() => make(0, { bytes: 0 }), RangeError);
    assert.throws(() => make(0, { bytes: -1 }), RangeError);
    assert.throws(() => make(0, { waiters: 0 }), RangeError);
    const any = make(-1);
    for (let i = 0; i < 100; i++) any.putNowait(i);
    assert.equal(any.full(), false);
  });

  Deno.test(`${name}: a blocked put continues when there is space, a blocked get when there is an item`, async () => {
    const queue = make(1);
    queue.put(1);
    const put = threads.start(({ Queue, LifoQueue, PriorityQueue }, handle) => {
      const queue = { Queue, LifoQueue, PriorityQueue }[handle.kind].attach(handle as never);
      queue.put(2);
    }, queue.handle);
    await untilWaiting(queue, 1);
    assert.equal(queue.get(), 1);
    await put.result;
    assert.equal(queue.get(), 2);
    const get = threads.start(({ Queue, LifoQueue, PriorityQueue }, handle) => {
      const queue = { Queue, LifoQueue, PriorityQueue }[handle.kind].attach(handle as never);
      return queue.get({ timeout: 60 });
    }, queue.handle);
    await untilWaiting(queue, 1);
    queue.put(3);
    assert.equal(await get.result, 3);
    assert.equal(used(queue.handle), 0);
  });

  Deno.test(`${name}: getters are served in the order of their arrival`, async () => {
    const queue = make();
    const got: unknown[] = [];
    const getting = Array.from(
      { length: 4 },
      (_, i) => queue.getAsync().then((item) => got.push([i, item])),
    );
    await untilWaiting(queue, 4);
    queue.put(0);
    assert.throws(() => queue.getNowait(), Empty); // it is promised to the first
    for (let i = 1; i < 4; i++) queue.put(i);
    await Promise.all(getting);
    assert.deepEqual(got.map((pair) => (pair as number[])[0]), [0, 1, 2, 3]);
  });

  Deno.test(`${name}: putters are admitted in the order of their arrival`, async () => {
    const queue = make(1);
    queue.put(-1);
    const putting = Promise.all([0, 1, 2, 3].map((i) => queue.putAsync(i)));
    await untilWaiting(queue, 4);
    const got = [];
    for (let i = 0; i < 5; i++) got.push(await queue.getAsync());
    assert.deepEqual(got, [-1, 0, 1, 2, 3]);
    await putting;
  });

  Deno.test(`${name}: a smaller bound applies from then on, a larger one admits putters`, async () => {
    const queue = make(3);
    for (let i = 0; i < 3; i++) queue.put(i);
    queue.maxsize = 2;
    assert.equal(queue.qsize(), 3);
    queue.get();
    assert.throws(() => queue.putNowait(4), Full);
    const waiting = queue.putAsync(4);
    queue.maxsize = 3;
    await waiting;
    assert.equal(queue.qsize(), 3);
    assert.throws(() => queue.maxsize = 0.5, RangeError);
  });

  Deno.test(`${name}: an item larger than its memory is refused, others wait for space`, async () => {
    const queue = make(0, { bytes });
    const item = (length: number) => [1, "x".repeat(length)];
    assert.throws(() => queue.put(item(bytes)), /the item takes \d+ bytes, and the queue has \d+/);
    queue.put(item(200));
    queue.put(item(200));
    const big = queue.putAsync(item(400));
    assert.throws(() => queue.putNowait([1]), Full); // it would overtake
    const small = queue.putAsync([1]);
    await untilWaiting(queue, 2);
    queue.get();
    queue.get();
    await Promise.all([big, small]);
    assert.equal(queue.qsize(), 2);
    queue.get();
    queue.get();
    for (let i = 0; i < bytes / 64; i++) queue.putNowait(i);
    assert.throws(() => queue.putNowait(11), Full);
  });

  Deno.test(`${name}: a putter that leaves admits the next one`, async () => {
    const queue = make(0, { bytes });
    for (let i = 0; i < bytes / 128; i++) queue.put([i]);
    const given = new AbortController();
    const big = queue.putAsync([1, "x".repeat(400)], { signal: given.signal });
    const small = queue.putAsync([2]);
    await untilWaiting(queue, 2);
    const refused = assert.rejects(big, { message: "enough" });
    given.abort(new Error("enough"));
    await Promise.all([refused, small]);
    assert.equal(queue.qsize(), bytes / 128 + 1);
  });

  Deno.test(`${name}: join waits until every item is reported as done`, async () => {
    const queue = make();
    assert.throws(() => queue.taskDone(), RangeError);
    assert.equal(queue.join(), true);
    const sum = new Int32Array(new SharedArrayBuffer(4));
    for (let round = 0; round < 2; round++) {
      const running = threads.all(2, ({ Queue, LifoQueue, PriorityQueue }, { handle, sum }) => {
        const queue = { Queue, LifoQueue, PriorityQueue }[handle.kind].attach(handle as never);
        for (;;) {
          const item = queue.get() as number;
          if (item >= 0) Atomics.add(sum, 0, item);
          queue.taskDone();
          if (item < 0) return;
        }
      }, { handle: queue.handle, sum });
      for (let i = 0; i < 100; i++) queue.put(i);
      assert.equal(await queue.joinAsync(), true);
      assert.equal(Atomics.load(sum, 0), (round + 1) * 4950);
      queue.put(-1);
      queue.put(-1);
      queue.join();
      await running;
      assert.equal(queue.unfinishedTasks, 0);
    }
    assert.throws(() => queue.taskDone(), RangeError);
  });

  Deno.test(`${name}: join ends with its timeout or signal`, async () => {
    const queue = make();
    queue.put(1);
    assert.equal(queue.join({ timeout: 0.01 }), false);
    assert.equal(await queue.joinAsync({ timeout: 0.01 }), false);
    await assert.rejects(queue.joinAsync({ signal: AbortSignal.timeout(1) }), {
      name: "TimeoutError",
    });
    assert.equal(used(queue.handle), 0);
  });

  Deno.test(`${name}: after a shutdown it returns its items, and accepts none`, async () => {
    const queue = make(2);
    queue.put(1);
    queue.put(2);
    const putting = assert.rejects(queue.putAsync(3), shutDown);
    queue.shutdown();
    await putting;
    assert.equal(queue.isShutdown, true);
    assert.throws(() => queue.put(3), shutDown);
    assert.throws(() => queue.putNowait(3), ShutDown);
    assert.equal(queue.qsize(), 2);
    queue.get();
    await queue.getAsync();
    assert.throws(() => queue.get(), shutDown);
    assert.throws(() => queue.getNowait(), shutDown);
    await assert.rejects(queue.getAsync({ timeout: 0 }), shutDown);
    assert.equal(queue.join({ timeout: 0 }), false);
    queue.taskDone();
    queue.taskDone();
    assert.equal(queue.join(), true);
  });

  Deno.test(`${name}: after an immediate shutdown it is empty, and join returns`, async () => {
    const queue = make(2);
    queue.put(1);
    queue.put(2);
    const joining = queue.joinAsync();
    const putting = assert.rejects(queue.putAsync(3), shutDown);
    queue.shutdown(true);
    await putting;
    assert.equal(await joining, true);
    assert.equal(queue.qsize(), 0);
    assert.equal(queue.unfinishedTasks, 0);
    assert.throws(() => queue.get(), shutDown);
    assert.throws(() => queue.taskDone(), RangeError);
  });

  Deno.test(`${name}: after an immediate shutdown, items that were taken out stay unfinished`, async () => {
    const queue = make();
    queue.put(1);
    queue.put(2);
    queue.get();
    const joining = queue.joinAsync();
    queue.shutdown(true);
    assert.equal(queue.unfinishedTasks, 1);
    queue.taskDone();
    assert.equal(await joining, true);
  });

  Deno.test(`${name}: a shutdown frees blocked getters and putters in other isolates`, async () => {
    for (const immediate of [false, true]) {
      const [empty, full] = [make(), make(1)];
      full.put(0);
      const body = (
        { Queue, LifoQueue, PriorityQueue, ShutDown }: typeof import("../../../core/sync/mod.ts"),
        { handle, verb }: { handle: typeof empty.handle; verb: "put" | "get" },
      ) => {
        const queue = { Queue, LifoQueue, PriorityQueue }[handle.kind].attach(handle as never);
        try {
          queue[verb](1 as never);
        } catch (error) {
          return error instanceof ShutDown;
        }
      };
      const running = [1, 2].flatMap(() => [
        threads.start(body, { handle: empty.handle, verb: "get" }).result,
        threads.start(body, { handle: full.handle, verb: "put" }).result,
      ]);
      await untilWaiting(empty, 2);
      await untilWaiting(full, 2);
      empty.shutdown(immediate);
      full.shutdown(immediate);
      assert.deepEqual(await Promise.all(running), [true, true, true, true]);
      assert.equal(used(empty.handle) + used(full.handle), 0);
    }
  });

  Deno.test(`${name}: a getter gets an item promised before a shutdown, unless that is immediate`, async () => {
    for (const immediate of [false, true]) {
      const queue = make();
      const getting = Promise.allSettled([queue.getAsync(), queue.getAsync()]);
      await untilWaiting(queue, 2);
      queue.put(1);
      queue.shutdown(immediate);
      const [first, second] = await getting;
      assert.equal(first?.status, immediate ? "rejected" : "fulfilled");
      assert.equal(second?.status, "rejected");
    }
  });
}
