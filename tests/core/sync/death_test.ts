/** What a worker that is terminated leaves behind. */
import assert from "node:assert/strict";
import { Lock, Queue, Semaphore } from "../../../core/sync/mod.ts";
import { run, spawn } from "./_threads.ts";
import { untilWaiting } from "./_waiting.ts";

Deno.test("a lock held by a terminated worker stays locked until another agent releases it", async () => {
  const lock = new Lock();
  const worker = spawn();
  await run(worker, ({ Lock }, handle) => Lock.attach(handle).acquire(), lock.handle, () => {})
    .result;
  worker.terminate();
  assert.equal(lock.acquire({ timeout: 0.01 }), false);
  const waiting = lock.acquireAsync();
  lock.release();
  assert.equal(await waiting, true);
});

// A waiter that sleeps for good after it has joined the queue: it is as good as dead even while the
// termination is under way.

Deno.test("a permit granted to a terminated waiter is lost, and the others continue", async () => {
  const semaphore = new Semaphore(0);
  const worker = spawn();
  run(
    worker,
    ({ Semaphore }, handle) => {
      void Semaphore.attach(handle).acquireAsync();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
    semaphore.handle,
    () => assert.fail("it was terminated"),
  );
  await untilWaiting(semaphore, 1);
  worker.terminate();
  const waiting = semaphore.acquireAsync();
  semaphore.release();
  assert.equal(semaphore.value, 0);
  semaphore.release();
  assert.equal(await waiting, true);
});

Deno.test("an item promised to a terminated getter stays in the queue, and the others continue", async () => {
  const queue = new Queue<number>(2);
  const worker = spawn();
  run(
    worker,
    ({ Queue }, handle) => {
      void Queue.attach(handle).getAsync();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
    queue.handle,
    () => assert.fail("it was terminated"),
  );
  await untilWaiting(queue, 1);
  worker.terminate();
  queue.put(1);
  for (let i = 2; i < 6; i++) {
    await queue.putAsync(i);
    assert.equal(await queue.getAsync(), i - 1);
  }
  assert.equal(queue.qsize(), 1);
});
