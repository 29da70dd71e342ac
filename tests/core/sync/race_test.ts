/** Many workers at once: nothing is lost, nobody starves. `deno task bench sync` does it at length. */
import assert from "node:assert/strict";
import { Barrier, Condition, Lock, Queue, RLock, Semaphore } from "../../../core/sync/mod.ts";
import { Threads } from "./_threads.ts";
import { used } from "./_waiting.ts";

const workers = 16;
const threads = await Threads.make(workers);

for (const Type of [Lock, RLock]) {
  Deno.test(`${Type.name}: 16 workers add to a number without atomics`, async () => {
    const lock = new Type();
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const each = 500;
    const args = { handle: lock.handle, counter, each };
    await threads.all(workers, ({ Lock, RLock }, { handle, counter, each }) => {
      const lock = handle.kind === "Lock" ? Lock.attach(handle) : RLock.attach(handle);
      for (let i = 0; i < each; i++) {
        lock.acquire();
        counter[0] = counter[0]! + 1;
        lock.release();
      }
    }, args);
    assert.equal(counter[0], workers * each);
    assert.equal(lock.locked(), false);
    assert.equal(used(lock.handle), 0);
  });
}

Deno.test("Lock: blocking workers and async tasks take turns", async () => {
  const lock = new Lock();
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const args = { handle: lock.handle, counter };
  const running = threads.all(8, async ({ Lock }, { handle, counter }) => {
    const lock = Lock.attach(handle);
    const task = async () => {
      for (let i = 0; i < 100; i++) {
        using _ = await lock.holdAsync();
        const seen = counter[0]!;
        await Promise.resolve();
        counter[0] = seen + 1;
      }
    };
    await Promise.all([task(), task()]);
    for (let i = 0; i < 100; i++) {
      using _ = lock.hold();
      counter[0] = counter[0]! + 1;
    }
  }, args);
  for (let i = 0; i < 100; i++) {
    using _ = await lock.holdAsync();
    counter[0] = counter[0]! + 1;
  }
  await running;
  assert.equal(counter[0], 8 * 300 + 100);
  assert.equal(used(lock.handle), 0);
});

Deno.test("Semaphore: concurrent timeouts, aborts and grants lose no permit", async () => {
  const permits = 3;
  const semaphore = new Semaphore(permits);
  const inside = new Int32Array(new SharedArrayBuffer(4));
  const args = { handle: semaphore.handle, inside };
  const results = await threads.all(workers, async ({ Semaphore }, { handle, inside }) => {
    const semaphore = Semaphore.attach(handle);
    let got = 0;
    let most = 0;
    const use = () => {
      got++;
      most = Math.max(most, Atomics.add(inside, 0, 1) + 1);
      const end = performance.now() + Math.random() * 0.05;
      while (performance.now() < end);
      Atomics.sub(inside, 0, 1);
      semaphore.release();
    };
    for (let i = 0; i < 300; i++) {
      if (semaphore.acquire({ timeout: Math.random() * 0.0005 })) use();
    }
    for (let i = 0; i < 30; i++) {
      const given = new AbortController();
      const waiting = semaphore.acquireAsync({ signal: given.signal }).then(use, () => {});
      setTimeout(() => given.abort(), Math.random() * 2);
      await waiting;
    }
    return { got, most };
  }, args);
  assert.ok(results.every(({ got, most }) => got > 0 && most <= permits));
  assert.equal(semaphore.value, permits);
  assert.equal(used(semaphore.handle), 0);
});

Deno.test("Condition: a waiter that times out takes no notification", async () => {
  const condition = new Condition(new Lock());
  const tokens = new Int32Array(new SharedArrayBuffer(4));
  const each = 100;
  const args = { handle: condition.handle, tokens, each };
  const consuming = threads.all(8, ({ Condition }, { handle, tokens, each }) => {
    const condition = Condition.attach(handle);
    for (let taken = 0; taken < each; taken++) {
      using _ = condition.hold();
      // Most wait forever, so that a notice spent on one that left would never be made good.
      while (tokens[0] === 0) {
        condition.wait(Math.random() < 0.3 ? { timeout: Math.random() * 0.0005 } : {});
      }
      tokens[0] = tokens[0]! - 1;
    }
  }, args);
  const producing = threads.all(4, ({ Condition }, { handle, tokens, each }) => {
    const condition = Condition.attach(handle);
    for (let put = 0; put < 2 * each; put++) {
      using _ = condition.hold();
      tokens[0] = tokens[0]! + 1;
      condition.notify();
    }
  }, args);
  await Promise.all([consuming, producing]);
  assert.equal(tokens[0], 0);
  assert.equal(used(condition.handle), 0);
});

Deno.test("Barrier: of 16 workers in a hundred rounds, each index occurs once a round", async () => {
  const barrier = new Barrier(workers);
  const rounds = await threads.all(workers, ({ Barrier }, handle) => {
    const barrier = Barrier.attach(handle);
    return Array.from({ length: 100 }, () => barrier.wait());
  }, barrier.handle);
  for (let i = 0; i < 100; i++) {
    const places = rounds.map((round) => round[i]!).sort((a, b) => a - b);
    assert.deepEqual(places, Array.from({ length: workers }, (_, place) => place));
  }
});

Deno.test("Queue: each item of many putters comes out once, in the order of its putter", async () => {
  const queue = new Queue<[number, number]>(5);
  const each = 300;
  const producing = Array.from(
    { length: 8 },
    (_, who) =>
      threads.start(async ({ Queue, Full }, { handle, each, who }) => {
        const queue = Queue.attach<[number, number]>(handle);
        for (let i = 0; i < each;) {
          try {
            if (i % 10 === 0) await queue.putAsync([who, i], { timeout: Math.random() * 0.001 });
            else queue.put([who, i], { timeout: Math.random() * 0.001 });
            i++;
          } catch (error) {
            if (!(error instanceof Full)) throw error;
          }
        }
      }, { handle: queue.handle, each, who }).result,
  );
  const consuming = threads.all(8, async ({ Queue, Empty, ShutDown }, handle) => {
    const queue = Queue.attach<[number, number]>(handle);
    const got: [number, number][] = [];
    for (;;) {
      try {
        const timeout = Math.random() * 0.001;
        got.push(
          got.length % 10 === 0 ? await queue.getAsync({ timeout }) : queue.get({ timeout }),
        );
        queue.taskDone();
      } catch (error) {
        if (error instanceof ShutDown) return got;
        if (!(error instanceof Empty)) throw error;
      }
    }
  }, queue.handle);
  await Promise.all(producing);
  await queue.joinAsync();
  queue.shutdown();
  const got = await consuming;
  for (const items of got) {
    for (let who = 0; who < 8; who++) {
      const order = items.filter(([by]) => by === who).map(([, i]) => i);
      assert.deepEqual(order, order.toSorted((a, b) => a - b));
    }
  }
  const all = got.flat().map(([who, i]) => who * each + i).sort((a, b) => a - b);
  assert.deepEqual(all, Array.from({ length: 8 * each }, (_, n) => n));
  assert.equal(used(queue.handle), 0);
});
