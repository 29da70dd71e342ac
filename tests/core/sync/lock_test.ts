import assert from "node:assert/strict";
import { Lock } from "../../../core/sync/mod.ts";
import { Threads } from "./_threads.ts";

const threads = new Threads(5);

Deno.test("a lock is taken, refused to others, and given back", async () => {
  const lock = new Lock();
  assert.equal(lock.locked(), false);
  assert.equal(lock.acquire(), true);
  assert.equal(lock.locked(), true);
  const look = threads.start(
    ({ Lock }, handle) => Lock.attach(handle).acquire({ blocking: false }),
    lock.handle,
  );
  assert.equal(await look.result, false);
  lock.release();
  assert.equal(lock.locked(), false);
});

Deno.test("those who wait get the lock one after the other, in the order of their coming", async () => {
  const lock = new Lock();
  lock.acquire();
  const order = new Int32Array(new SharedArrayBuffer(24));
  const running = [];
  for (let i = 1; i <= 5; i++) {
    const thread = threads.start(({ Lock }, { handle, order, i }, tell) => {
      const lock = Lock.attach(handle);
      tell("here");
      lock.acquire();
      order[order[0]! + 1] = i;
      order[0] = order[0]! + 1;
      lock.release();
    }, { handle: lock.handle, order, i });
    running.push(thread.result);
    await thread.told();
    await waiting(lock, i);
  }
  assert.equal(order[0], 0);
  lock.release();
  await Promise.all(running);
  assert.deepEqual([...order], [5, 1, 2, 3, 4, 5]);
});

/** Until `n` have joined the lock's queue: counts its slots in shared memory. */
async function waiting(lock: Lock, n: number): Promise<void> {
  const words = new Int32Array(lock.handle.memory);
  const slots = 8 + 2 + 1;
  for (;;) {
    let found = 0;
    for (let at = slots; at < words.length; at += 4) if (Atomics.load(words, at) === 1) found++;
    if (found >= n) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
