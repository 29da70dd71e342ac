/** Lock, and what it has in common with RLock. */
import assert from "node:assert/strict";
import { Lock, RLock, TIMEOUT_MAX } from "../../../core/sync/mod.ts";
import { Threads } from "./_threads.ts";
import { untilWaiting, used } from "./_waiting.ts";

const threads = await Threads.make(5);

for (const Type of [Lock, RLock]) {
  const { name } = Type;

  Deno.test(`${name}: while it is held, others can't acquire it`, async () => {
    const lock = new Type();
    assert.equal(lock.locked(), false);
    assert.equal(lock.acquire(), true);
    assert.equal(lock.locked(), true);
    const look = () =>
      threads.start(({ Lock, RLock }, handle) => {
        const lock = handle.kind === "Lock" ? Lock.attach(handle) : RLock.attach(handle);
        const got = lock.acquire({ blocking: false });
        if (got) lock.release();
        return [lock.locked(), got];
      }, lock.handle).result;
    assert.deepEqual(await look(), [true, false]);
    lock.release();
    assert.equal(lock.locked(), false);
    assert.deepEqual(await look(), [false, true]);
  });

  Deno.test(`${name}: waiters are served in the order of their arrival`, async () => {
    const lock = new Type();
    await lock.acquireAsync();
    const order = new Int32Array(new SharedArrayBuffer(24));
    const running = [];
    for (let i = 1; i <= 5; i++) {
      const thread = threads.start(({ Lock, RLock }, { handle, order, i }) => {
        const lock = handle.kind === "Lock" ? Lock.attach(handle) : RLock.attach(handle);
        lock.acquire();
        order[order[0]! + 1] = i;
        order[0] = order[0]! + 1;
        lock.release();
      }, { handle: lock.handle, order, i });
      running.push(thread.result);
      await untilWaiting(lock, i);
    }
    assert.equal(order[0], 0);
    lock.release();
    await Promise.all(running);
    assert.deepEqual([...order], [5, 1, 2, 3, 4, 5]);
    assert.equal(lock.locked(), false);
    assert.equal(used(lock.handle), 0);
  });

  Deno.test(`${name}: the end of a block releases it once, also after an exception`, async () => {
    const lock = new Type();
    assert.throws(() => {
      using hold = lock.hold();
      assert.equal(lock.locked(), true);
      assert.ok(hold);
      throw new SyntaxError();
    }, SyntaxError);
    assert.equal(lock.locked(), false);
    {
      using hold = await lock.holdAsync();
      hold[Symbol.dispose]();
      assert.equal(lock.locked(), false);
    }
    assert.equal(lock.locked(), false);
  });

  Deno.test(`${name}: invalid timeouts are refused`, async () => {
    const lock = new Type();
    assert.throws(() => lock.acquire({ blocking: false, timeout: 1 }), RangeError);
    assert.throws(() => lock.acquire({ timeout: -100 }), RangeError);
    assert.throws(() => lock.acquire({ timeout: -0.5 }), RangeError);
    assert.throws(() => lock.acquire({ timeout: NaN }), RangeError);
    assert.throws(() => lock.acquire({ timeout: 1e100 }), RangeError);
    assert.throws(() => lock.acquire({ timeout: TIMEOUT_MAX + 1 }), RangeError);
    await assert.rejects(lock.acquireAsync({ timeout: -2 }), RangeError);
    assert.equal(lock.locked(), false);
    for (const timeout of [TIMEOUT_MAX, -1, 0, 5]) {
      assert.equal(lock.acquire({ timeout }), true);
      lock.release();
      assert.equal(await lock.acquireAsync({ timeout }), true);
      lock.release();
    }
  });

  Deno.test(`${name}: a wait that timed out returns false and frees its slot`, async () => {
    const lock = new Type();
    lock.acquire();
    const elapsed = await threads.start(async ({ Lock, RLock }, handle) => {
      const lock = handle.kind === "Lock" ? Lock.attach(handle) : RLock.attach(handle);
      const start = performance.now();
      const got = [
        lock.acquire({ timeout: 0.03 }),
        await lock.acquireAsync({ timeout: 0.03 }),
        lock.acquire({ timeout: 0 }),
        await lock.acquireAsync({ timeout: 0 }),
      ];
      return got.includes(true) ? -1 : performance.now() - start;
    }, lock.handle).result;
    assert.ok(elapsed >= 60, `${elapsed} ms`);
    assert.equal(used(lock.handle), 0);
    lock.release();
    assert.equal(lock.locked(), false);
  });

  Deno.test(`${name}: a wait beyond the number of slots is refused`, async () => {
    const lock = new Type({ waiters: 2 });
    lock.acquire();
    const body = async (
      { Lock, RLock }: typeof import("../../../core/sync/mod.ts"),
      handle: typeof lock.handle,
    ) => {
      const lock = handle.kind === "Lock" ? Lock.attach(handle) : RLock.attach(handle);
      await lock.acquireAsync();
      lock.release();
    };
    const two = threads.all(2, body, lock.handle);
    await untilWaiting(lock, 2);
    await assert.rejects(threads.start(body, lock.handle).result, /2 already wait at this R?Lock/);
    lock.release();
    await two;
    assert.throws(() => new Type({ waiters: 0 }), RangeError);
    assert.throws(() => new Type({ waiters: 1.5 }), RangeError);
  });
}

Deno.test("Lock: another agent can release it, but not when it is unlocked", async () => {
  const lock = new Lock();
  assert.throws(() => lock.release(), { name: "Error", message: "can't release an unlocked lock" });
  lock.acquire();
  await threads.start(({ Lock }, handle) => Lock.attach(handle).release(), lock.handle).result;
  assert.equal(lock.locked(), false);
  assert.throws(() => lock.release());
});

Deno.test("Lock: an agent that acquires it twice waits until another agent releases it", async () => {
  const lock = new Lock();
  const thread = threads.start(({ Lock }, handle) => {
    const lock = Lock.attach(handle);
    lock.acquire();
    lock.acquire();
  }, lock.handle);
  await untilWaiting(lock, 1);
  lock.release();
  await thread.result;
  assert.equal(lock.locked(), true);
});

Deno.test("Lock: it works after its holder had a timeout", () => {
  const lock = new Lock();
  lock.acquire();
  assert.equal(lock.acquire({ timeout: 0.01 }), false);
  lock.release();
  assert.equal(lock.locked(), false);
  assert.equal(lock.acquire({ blocking: false }), true);
});

Deno.test("Lock: tasks of one isolate exclude each other", async () => {
  const lock = new Lock();
  let inside = 0;
  let most = 0;
  await Promise.all(Array.from({ length: 50 }, async () => {
    using _ = await lock.holdAsync();
    most = Math.max(most, ++inside);
    await Promise.resolve();
    inside--;
  }));
  assert.equal(most, 1);
  assert.equal(lock.locked(), false);
});

Deno.test("Lock: an aborted waiter leaves the queue, and the next one is served", async () => {
  const lock = new Lock();
  lock.acquire();
  const given = new AbortController();
  const [first, second] = [lock.acquireAsync({ signal: given.signal }), lock.acquireAsync()];
  const refused = assert.rejects(first, { message: "enough" });
  given.abort(new Error("enough"));
  await refused;
  await assert.rejects(lock.acquireAsync({ signal: given.signal }), { message: "enough" });
  await assert.rejects(lock.holdAsync({ signal: given.signal }), { message: "enough" });
  lock.release();
  assert.equal(await second, true);
  lock.release();
  assert.equal(lock.locked(), false);
  assert.equal(used(lock.handle), 0);
});

Deno.test("Lock: a wait that is granted and aborted in one turn is granted", async () => {
  const lock = new Lock();
  lock.acquire();
  const given = new AbortController();
  const waiting = lock.acquireAsync({ signal: given.signal });
  lock.release();
  given.abort();
  assert.equal(await waiting, true);
  assert.equal(lock.locked(), true);
});
