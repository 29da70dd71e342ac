import assert from "node:assert/strict";
import { Barrier, BrokenBarrierError } from "../../../core/sync/mod.ts";
import { Threads } from "./_threads.ts";
import { untilWaiting, used } from "./_waiting.ts";

const parties = 5;
const threads = await Threads.make(parties);
const brokenBarrier = { name: "BrokenBarrierError" };

Deno.test("Barrier: agents pass it together, in several rounds", async () => {
  const barrier = new Barrier(parties);
  const counts = new Int32Array(new SharedArrayBuffer(8));
  const rounds = await threads.all(parties, ({ Barrier }, { handle, counts }) => {
    const barrier = Barrier.attach(handle);
    for (let i = 0; i < 20; i++) {
      Atomics.add(counts, 0, 1);
      if (Atomics.load(counts, 1) !== i * barrier.parties) throw new Error("too early");
      barrier.wait();
      Atomics.add(counts, 1, 1);
      if (Atomics.load(counts, 0) !== (i + 1) * barrier.parties) throw new Error("too late");
      barrier.wait();
    }
    return 20;
  }, { handle: barrier.handle, counts });
  assert.deepEqual(rounds, Array(parties).fill(20));
  assert.equal(barrier.nWaiting, 0);
  assert.equal(barrier.broken, false);
  assert.equal(used(barrier.handle), 0);
});

Deno.test("Barrier: each agent gets its index in the order of arrival", async () => {
  const barrier = new Barrier(parties);
  for (let round = 0; round < 2; round++) {
    const places = [];
    for (let i = 1; i < parties; i++) {
      places.push(
        threads.start(({ Barrier }, handle) => Barrier.attach(handle).wait(), barrier.handle)
          .result,
      );
      await untilWaiting(barrier, i);
      assert.equal(barrier.nWaiting, i);
    }
    places.push(barrier.waitAsync());
    assert.deepEqual(await Promise.all(places), [0, 1, 2, 3, 4]);
    assert.equal(barrier.nWaiting, 0);
  }
});

Deno.test("Barrier: a single party does not wait", async () => {
  const barrier = new Barrier(1);
  assert.equal(barrier.wait(), 0);
  assert.equal(await barrier.waitAsync({ timeout: 0 }), 0);
});

Deno.test("Barrier: the last to arrive runs the action once, before any continues", async () => {
  let acted = 0;
  const barrier = new Barrier(3, { action: () => acted++ });
  const seen = await Promise.all(
    [1, 2, 3].map(async () => [await barrier.waitAsync(), acted]),
  );
  assert.deepEqual(seen, [[0, 1], [1, 1], [2, 1]]);
});

Deno.test("Barrier: an action that throws breaks the barrier, and its agent gets the error", async () => {
  const action = () => {
    throw new SyntaxError("no");
  };
  const barrier = new Barrier(2, { action });
  const first = assert.rejects(barrier.waitAsync(), brokenBarrier);
  assert.throws(() => barrier.wait(), SyntaxError);
  await first;
  assert.equal(barrier.broken, true);
  assert.throws(() => barrier.wait(), BrokenBarrierError);
});

Deno.test("Barrier: an agent that arrives while the action runs belongs to the next round", async () => {
  const barrier = new Barrier(2);
  const go = new Int32Array(new SharedArrayBuffer(4));
  const place = threads.start(({ Barrier }, { handle, go }, tell) => {
    const action = () => {
      tell("acting");
      Atomics.wait(go, 0, 0);
    };
    return Barrier.attach(handle, { action }).wait();
  }, { handle: barrier.handle, go });
  await untilWaiting(barrier, 1);
  const last = threads.start(({ Barrier }, { handle, go }, tell) => {
    const action = () => {
      tell("acting");
      Atomics.wait(go, 0, 0);
    };
    return Barrier.attach(handle, { action }).wait();
  }, { handle: barrier.handle, go });
  assert.equal(await last.told(), "acting");
  const next = [barrier.waitAsync({ timeout: 0.001 }), barrier.waitAsync()];
  await untilWaiting(barrier, 3);
  assert.equal(barrier.broken, false);
  Atomics.store(go, 0, 1);
  Atomics.notify(go, 0);
  assert.deepEqual(await Promise.all([place.result, last.result]), [0, 1]);
  assert.deepEqual(await Promise.all(next), [0, 1]);
});

Deno.test("Barrier: a wait does not time out while the action runs", async () => {
  const barrier = new Barrier(2);
  const first = barrier.waitAsync({ timeout: 0.01 });
  const last = threads.start(({ Barrier }, handle) => {
    const action = () => {
      const end = performance.now() + 30;
      while (performance.now() < end);
    };
    return Barrier.attach(handle, { action }).wait();
  }, barrier.handle);
  // Whoever is first, the action or the timeout: both parties are told the same.
  const outcomes = await Promise.allSettled([first, last.result]);
  const [one, other] = outcomes.map(({ status }) => status);
  assert.equal(one, other);
  assert.equal(barrier.broken, one === "rejected");
});

Deno.test("Barrier: abort breaks it for current and later waits, until a reset", async () => {
  const barrier = new Barrier(parties);
  const running = threads.all(parties - 1, ({ Barrier, BrokenBarrierError }, handle) => {
    const barrier = Barrier.attach(handle);
    let broken = 0;
    for (let i = 0; i < 2; i++) {
      try {
        barrier.wait();
      } catch (error) {
        if (error instanceof BrokenBarrierError) broken++;
      }
    }
    return broken;
  }, barrier.handle);
  await untilWaiting(barrier, parties - 1);
  barrier.abort();
  assert.deepEqual(await running, Array(parties - 1).fill(2));
  assert.equal(barrier.broken, true);
  assert.equal(barrier.nWaiting, 0);
  await assert.rejects(barrier.waitAsync(), brokenBarrier);
  barrier.reset();
  assert.equal(barrier.broken, false);
  const places = await Promise.all(Array.from({ length: parties }, () => barrier.waitAsync()));
  assert.deepEqual(places, [0, 1, 2, 3, 4]);
});

Deno.test("Barrier: a reset breaks current waits only", async () => {
  const barrier = new Barrier(2);
  barrier.reset();
  const waiting = assert.rejects(barrier.waitAsync(), brokenBarrier);
  barrier.reset();
  assert.equal(barrier.broken, false);
  const next = barrier.waitAsync();
  await waiting;
  assert.deepEqual(await Promise.all([next, barrier.waitAsync()]), [0, 1]);
});

Deno.test("Barrier: a timeout, of the wait or the default one, breaks it for all", async () => {
  for (const [usual, timeout] of [[0.02, undefined], [60, 0.02], [undefined, 0.02]]) {
    const barrier = new Barrier(3, { timeout: usual });
    const other = assert.rejects(barrier.waitAsync({ timeout: 60 }), brokenBarrier);
    const failed = await threads.start(({ Barrier, BrokenBarrierError }, { handle, timeout }) => {
      const start = performance.now();
      try {
        Barrier.attach(handle).wait({ timeout });
      } catch (error) {
        return error instanceof BrokenBarrierError && performance.now() - start >= 20;
      }
    }, { handle: barrier.handle, timeout }).result;
    assert.equal(failed, true);
    await other;
    assert.equal(barrier.broken, true);
    assert.equal(used(barrier.handle), 0);
  }
});

Deno.test("Barrier: an aborted wait is no arrival, and does not break the barrier", async () => {
  const barrier = new Barrier(2);
  const given = new AbortController();
  const waiting = assert.rejects(barrier.waitAsync({ signal: given.signal }), {
    message: "enough",
  });
  given.abort(new Error("enough"));
  await waiting;
  assert.equal(barrier.nWaiting, 0);
  assert.deepEqual(await Promise.all([barrier.waitAsync(), barrier.waitAsync()]), [0, 1]);
});

Deno.test("Barrier: invalid counts and timeouts are refused", () => {
  for (const n of [0, -1, 1.5, NaN]) assert.throws(() => new Barrier(n), RangeError);
  assert.throws(() => new Barrier(2, { timeout: -1 }), RangeError);
  const barrier = new Barrier(2);
  assert.throws(() => barrier.wait({ timeout: -1 }), RangeError);
  assert.equal(barrier.nWaiting, 0);
  assert.equal(new Barrier(3000).parties, 3000);
});
