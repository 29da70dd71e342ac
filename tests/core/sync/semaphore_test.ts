import assert from "node:assert/strict";
import { BoundedSemaphore, Semaphore } from "../../../core/sync/mod.ts";
import { Threads } from "./_threads.ts";
import { untilWaiting, used } from "./_waiting.ts";

const threads = await Threads.make(10);

for (const Type of [Semaphore, BoundedSemaphore]) {
  const { name } = Type;

  Deno.test(`${name}: it has one permit by default, and refuses a negative number`, () => {
    assert.equal(new Type().value, 1);
    assert.equal(new Type(0).acquire({ blocking: false }), false);
    for (const value of [-1, -(2 ** 53), 0.5, NaN, 2 ** 31]) {
      assert.throws(() => new Type(value), RangeError);
    }
  });

  Deno.test(`${name}: permits can be acquired and released`, async () => {
    const semaphore = new Type(2);
    assert.equal(semaphore.acquire(), true);
    assert.equal(await semaphore.acquireAsync(), true);
    assert.equal(semaphore.locked(), true);
    assert.equal(semaphore.acquire({ blocking: false }), false);
    assert.equal(semaphore.acquire({ timeout: 0.005 }), false);
    assert.equal(await semaphore.acquireAsync({ timeout: 0.005 }), false);
    semaphore.release();
    assert.equal(semaphore.acquire({ timeout: 0.005 }), true);
    semaphore.release(2);
    assert.equal(semaphore.value, 2);
    assert.equal(used(semaphore.handle), 0);
  });

  Deno.test(`${name}: invalid arguments are refused`, async () => {
    const semaphore = new Type(2);
    assert.throws(() => semaphore.acquire({ blocking: false, timeout: 1 }), RangeError);
    assert.throws(() => semaphore.acquire({ timeout: -1 }), RangeError);
    await assert.rejects(semaphore.acquireAsync({ timeout: -1 }), RangeError);
    for (const n of [0, -1, 1.5, NaN]) assert.throws(() => semaphore.release(n), RangeError);
    assert.equal(semaphore.value, 2);
  });

  Deno.test(`${name}: the end of a block releases its permit`, async () => {
    const semaphore = new Type(2);
    assert.throws(() => {
      using _ = semaphore.hold();
      assert.equal(semaphore.value, 1);
      throw new SyntaxError();
    }, SyntaxError);
    assert.equal(semaphore.value, 2);
    {
      using _ = await semaphore.holdAsync();
      using __ = await semaphore.holdAsync();
      assert.equal(semaphore.value, 0);
    }
    assert.equal(semaphore.value, 2);
  });

  Deno.test(`${name}: a caller that does not wait gets no permit while others wait`, async () => {
    const semaphore = new Type(4);
    semaphore.acquire();
    const results = await threads.all(5, ({ Semaphore, BoundedSemaphore }, handle) => {
      const semaphore = handle.kind === "Semaphore"
        ? Semaphore.attach(handle)
        : BoundedSemaphore.attach(handle);
      return [semaphore.acquire({ blocking: false }), semaphore.acquire({ blocking: false })];
    }, semaphore.handle);
    assert.equal(results.flat().filter((got) => got).length, 3);
  });

  Deno.test(`${name}: releasing several permits admits as many waiters`, async () => {
    const semaphore = new Type(7);
    semaphore.acquire();
    const passed = new Int32Array(new SharedArrayBuffer(4));
    const running = threads.all(10, ({ Semaphore, BoundedSemaphore }, { handle, passed }) => {
      const semaphore = handle.kind === "Semaphore"
        ? Semaphore.attach(handle)
        : BoundedSemaphore.attach(handle);
      for (let i = 0; i < 2; i++) {
        semaphore.acquire();
        Atomics.add(passed, 0, 1);
        Atomics.notify(passed, 0);
      }
    }, { handle: semaphore.handle, passed });
    const until = async (n: number) => {
      for (let now; (now = Atomics.load(passed, 0)) < n;) {
        const sleep = Atomics.waitAsync(passed, 0, now, 100);
        if (sleep.async) await sleep.value;
      }
      assert.equal(Atomics.load(passed, 0), n);
    };
    await until(6);
    await untilWaiting(semaphore, 7);
    semaphore.release(7);
    await until(13);
    for (let i = 0; i < 6; i++) semaphore.release();
    await until(19);
    assert.equal(semaphore.acquire({ blocking: false }), false);
    semaphore.release();
    await running;
    assert.equal(semaphore.value, 0);
    assert.equal(used(semaphore.handle), 0);
  });
}

Deno.test("Semaphore: a release without an acquire adds a permit", () => {
  const semaphore = new Semaphore(1);
  semaphore.release();
  semaphore.acquire();
  semaphore.acquire();
  semaphore.release(3);
  assert.equal(semaphore.value, 3);
  assert.throws(() => semaphore.release(2 ** 31 - 1), RangeError);
  assert.equal(semaphore.value, 3);
});

Deno.test("BoundedSemaphore: no isolate can release more permits than it was created with", async () => {
  const semaphore = new BoundedSemaphore(2);
  assert.throws(() => semaphore.release(), RangeError);
  semaphore.acquire();
  assert.throws(() => semaphore.release(2), RangeError);
  semaphore.release();
  const release = threads.start(
    ({ BoundedSemaphore }, handle) => BoundedSemaphore.attach(handle).release(),
    semaphore.handle,
  );
  await assert.rejects(release.result, /released too often: at most 2/);
  assert.equal(semaphore.value, 2);
});

Deno.test("BoundedSemaphore: a refused release changes nothing, also while an agent waits", async () => {
  const semaphore = new BoundedSemaphore(1);
  semaphore.acquire();
  const waiting = semaphore.acquireAsync();
  assert.throws(() => semaphore.release(2), RangeError);
  semaphore.release();
  assert.equal(await waiting, true);
});

Deno.test("Semaphore: an aborted waiter loses no permit", async () => {
  const semaphore = new Semaphore(0);
  const given = new AbortController();
  const waiting = Array.from(
    { length: 6 },
    (_, i) => semaphore.acquireAsync({ signal: i % 2 ? given.signal : undefined }),
  );
  const outcomes = Promise.allSettled(waiting);
  semaphore.release(2);
  given.abort(); // of the second, which has its permit, the fourth and the sixth
  semaphore.release(2);
  assert.deepEqual(
    (await outcomes).map(({ status }) => status === "fulfilled"),
    [true, true, true, false, true, false],
  );
  assert.equal(semaphore.value, 0);
  assert.equal(used(semaphore.handle), 0);
});
