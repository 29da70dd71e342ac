import assert from "node:assert/strict";
import { RLock } from "../../../core/sync/mod.ts";
import { Threads } from "./_threads.ts";
import { untilWaiting } from "./_waiting.ts";

const threads = await Threads.make(2);
const notOurs = { name: "Error", message: "can't release an RLock that this agent does not hold" };

Deno.test("RLock: its owner can acquire it again, and must release it as often", async () => {
  const lock = new RLock();
  lock.acquire();
  lock.acquire();
  lock.release();
  assert.equal(await lock.acquireAsync(), true);
  lock.release();
  assert.equal(lock.locked(), true);
  lock.release();
  assert.equal(lock.locked(), false);
  assert.throws(() => lock.release(), notOurs);
});

Deno.test("RLock: it reports its owner and its depth", async () => {
  const lock = new RLock();
  const other = () =>
    threads.start(({ RLock }, handle) => {
      const lock = RLock.attach(handle);
      return [lock.locked(), lock.isOwned(), lock.recursionCount()];
    }, lock.handle).result;
  assert.equal(lock.isOwned(), false);
  assert.equal(lock.recursionCount(), 0);
  lock.acquire();
  lock.acquire();
  assert.equal(lock.isOwned(), true);
  assert.equal(lock.recursionCount(), 2);
  assert.deepEqual(await other(), [true, false, 0]);
  assert.equal(RLock.attach(lock.handle).recursionCount(), 2, "an isolate is one agent");
  lock.release();
  assert.equal(lock.isOwned(), true);
  lock.release();
  assert.equal(lock.isOwned(), false);
  assert.deepEqual(await other(), [false, false, 0]);
});

Deno.test("RLock: another agent can't release it", async () => {
  const lock = new RLock();
  lock.acquire();
  const release = threads.start(({ RLock }, handle) => RLock.attach(handle).release(), lock.handle);
  await assert.rejects(release.result, /does not hold/);
  assert.equal(lock.recursionCount(), 1);
  lock.release();
});

Deno.test("RLock: releaseSave and acquireRestore keep its depth", async () => {
  const lock = new RLock();
  assert.throws(() => lock.releaseSave(), notOurs);
  for (let i = 0; i < 3; i++) lock.acquire();
  const depth = lock.releaseSave();
  assert.equal(depth, 3);
  assert.equal(lock.locked(), false);
  lock.acquireRestore(depth);
  assert.equal(lock.recursionCount(), 3);
  await lock.acquireRestoreAsync(lock.releaseSave());
  assert.equal(lock.recursionCount(), 3);
});

Deno.test("RLock: the last release lets the next agent in", async () => {
  const lock = new RLock();
  lock.acquire();
  lock.acquire();
  const thread = threads.start(({ RLock }, handle) => {
    const lock = RLock.attach(handle);
    lock.acquire();
    return lock.recursionCount();
  }, lock.handle);
  await untilWaiting(lock, 1);
  lock.release();
  lock.release();
  assert.equal(await thread.result, 1);
  assert.equal(lock.locked(), true);
  assert.equal(lock.isOwned(), false);
});
