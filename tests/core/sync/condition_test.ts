import assert from "node:assert/strict";
import { Condition, Lock, type RLock } from "../../../core/sync/mod.ts";
import { Threads } from "./_threads.ts";
import { untilWaiting, used } from "./_waiting.ts";

const threads = await Threads.make(6);

Deno.test("Condition: its lock is an RLock by default", () => {
  const condition = new Condition();
  condition.acquire();
  condition.acquire();
  condition.release();
  condition.release();
  assert.equal(condition.locked(), false);

  const lock = new Lock();
  const other = new Condition(lock);
  other.acquire();
  assert.equal(lock.acquire({ blocking: false }), false);
  other.release();
  assert.equal(lock.acquire({ blocking: false }), true);
  assert.equal(other.acquire({ blocking: false }), false);
  lock.release();
  using _ = other.hold();
  assert.equal(lock.locked(), true);
});

Deno.test("Condition: wait and notify need the lock", async () => {
  for (const condition of [new Condition(), new Condition(new Lock())]) {
    const message = (verb: string) => ({ message: `can't ${verb} without holding the lock` });
    assert.throws(() => condition.wait(), message("wait"));
    assert.throws(() => condition.waitFor(() => false), message("wait"));
    await assert.rejects(condition.waitAsync(), message("wait"));
    assert.throws(() => condition.notify(), message("notify"));
    assert.throws(() => condition.notifyAll(), message("notify"));
    assert.throws(() => condition.notify(-1), RangeError);
    assert.throws(() => condition.wait({ timeout: -1 }), RangeError);
    assert.throws(() => condition.waitFor(() => true, { timeout: -1 }), RangeError);
  }
});

Deno.test("Condition: an RLock that another agent holds is not enough", async () => {
  const condition = new Condition();
  condition.acquire();
  const wait = threads.start(
    ({ Condition }, handle) => Condition.attach(handle).wait(),
    condition.handle,
  );
  await assert.rejects(wait.result, /without holding the lock/);
  condition.release();
});

Deno.test("Condition: notify(n) wakes the n agents that have waited longest", async () => {
  const condition = new Condition();
  const notified = new Int32Array(new SharedArrayBuffer(24));
  const running = [];
  for (let i = 1; i <= 5; i++) {
    const thread = threads.start(({ Condition }, { handle, notified, i }) => {
      const condition = Condition.attach(handle);
      using _ = condition.hold();
      const result = condition.wait();
      notified[notified[0]! + 1] = i;
      Atomics.add(notified, 0, 1);
      Atomics.notify(notified, 0);
      return result;
    }, { handle: condition.handle, notified, i });
    running.push(thread.result);
    await untilWaiting(condition, i);
  }
  const until = async (n: number) => {
    for (let now; (now = Atomics.load(notified, 0)) < n;) {
      const sleep = Atomics.waitAsync(notified, 0, now, 100);
      if (sleep.async) await sleep.value;
    }
    // Those notified together may have the lock again in any order.
    const expected = [1, 2, 3, 4, 5].map((i) => i <= n ? i : 0);
    assert.deepEqual([...notified.subarray(1)].sort(), expected.sort());
  };
  const notify = async (n?: number) => {
    using _ = await condition.holdAsync();
    condition.notify(n);
  };
  await notify(0);
  await notify(2);
  await until(2);
  await notify();
  await until(3);
  {
    using _ = await condition.holdAsync();
    condition.notifyAll();
    condition.notifyAll();
  }
  await until(5);
  assert.deepEqual(await Promise.all(running), Array(5).fill(true));
  assert.equal(used(condition.handle), 0);
});

Deno.test("Condition: a notification without a waiter is lost", async () => {
  const condition = new Condition();
  using _ = condition.hold();
  condition.notify(3);
  assert.equal(condition.wait({ timeout: 0 }), false);
  assert.equal(condition.wait({ timeout: 0.01 }), false);
  assert.equal(await condition.waitAsync({ timeout: 0.01 }), false);
  assert.equal(condition.lock.locked(), true, "the lock was taken again");
});

Deno.test("Condition: a wait releases an RLock completely, and restores its depth", async () => {
  const condition = new Condition();
  const depths = threads.start(async ({ Condition }, handle) => {
    const condition = Condition.attach(handle);
    const lock = condition.lock as RLock;
    for (let i = 0; i < 3; i++) condition.acquire();
    condition.wait();
    const first = lock.recursionCount();
    await condition.waitAsync();
    return [first, lock.recursionCount()];
  }, condition.handle);
  for (let i = 0; i < 2; i++) {
    await untilWaiting(condition, 1);
    using _ = await condition.holdAsync();
    condition.notify();
  }
  assert.deepEqual(await depths.result, [3, 3]);
});

Deno.test("Condition: a notified agent continues once the lock is free", async () => {
  const condition = new Condition(new Lock());
  const thread = threads.start(({ Condition }, handle) => {
    const condition = Condition.attach(handle);
    using _ = condition.hold();
    return condition.wait();
  }, condition.handle);
  await untilWaiting(condition, 1);
  condition.acquire();
  condition.notify();
  await untilWaiting(condition.lock, 1);
  condition.release();
  assert.equal(await thread.result, true);
});

Deno.test("Condition: waitFor returns the last value of its predicate", async () => {
  const condition = new Condition();
  const state = new Int32Array(new SharedArrayBuffer(4));
  const args = { handle: condition.handle, state };
  const blocked = threads.start(({ Condition }, { handle, state }) => {
    const condition = Condition.attach(handle);
    using _ = condition.hold();
    return condition.waitFor(() => state[0] === 4 && "four");
  }, args);
  const task = threads.start(async ({ Condition }, { handle, state }) => {
    const condition = Condition.attach(handle);
    using _ = await condition.holdAsync();
    return await condition.waitForAsync(() => state[0] === 4 && "four");
  }, args);
  for (let i = 1; i <= 4; i++) {
    await untilWaiting(condition, 2);
    using _ = await condition.holdAsync();
    state[0] = i;
    condition.notifyAll();
  }
  assert.deepEqual(await Promise.all([blocked.result, task.result]), ["four", "four"]);
});

Deno.test("Condition: waitFor ends with the timeout if its predicate never holds", async () => {
  const condition = new Condition();
  using _ = condition.hold();
  let asked = 0;
  const start = performance.now();
  assert.equal(condition.waitFor(() => ++asked > 9 || 0, { timeout: 0.02 }), 0);
  assert.equal(await condition.waitForAsync(() => ++asked > 9 || 0, { timeout: 0.02 }), 0);
  assert.ok(performance.now() - start >= 40);
  assert.equal(condition.waitFor(() => ++asked > 9 || 0, { timeout: 0 }), 0);
  assert.equal(asked, 6, "before and after each wait");
  assert.equal(condition.waitFor(() => "at once", { timeout: 0 }), "at once");
});

Deno.test("Condition: an aborted wait holds the lock again, and takes no notification", async () => {
  const condition = new Condition();
  const given = new AbortController();
  const wait = async (signal?: AbortSignal) => {
    using _ = await condition.holdAsync();
    try {
      return await condition.waitAsync({ signal });
    } catch (error) {
      return condition.lock.isOwned() && (error as Error).message;
    }
  };
  const [first, second] = [wait(given.signal), wait()];
  await untilWaiting(condition, 2);
  given.abort(new Error("enough"));
  assert.equal(await first, "enough");
  condition.acquire();
  condition.notify();
  condition.release();
  assert.equal(await second, true);
  assert.equal(condition.locked(), false);
});

Deno.test("Condition: two conditions share a lock, also in another isolate", async () => {
  const lock = new Lock();
  const [asked, answered] = [new Condition(lock), new Condition(lock)];
  const thread = threads.start(({ Condition }, handles) => {
    const [asked, answered] = handles.map((handle) => Condition.attach(handle));
    using _ = asked!.hold();
    asked!.wait();
    answered!.notify();
  }, [asked.handle, answered.handle]);
  await untilWaiting(asked, 1);
  {
    using _ = await lock.holdAsync();
    asked.notify();
    assert.equal(await answered.waitAsync(), true);
  }
  await thread.result;
});
