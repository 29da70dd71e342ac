import assert from "node:assert/strict";
import { Event } from "../../../core/sync/mod.ts";
import { Threads } from "./_threads.ts";
import { untilWaiting, used } from "./_waiting.ts";

const threads = await Threads.make(5);

Deno.test("Event: it can be set and cleared repeatedly", () => {
  const event = new Event();
  assert.equal(event.isSet(), false);
  for (let i = 0; i < 2; i++) {
    event.set();
    event.set();
    assert.equal(event.isSet(), true);
    assert.equal(event.wait(), true);
    event.clear();
    event.clear();
    assert.equal(event.isSet(), false);
  }
});

Deno.test("Event: set releases all waiters, and later waits return at once", async () => {
  const event = new Event();
  for (let round = 0; round < 2; round++) {
    const running = threads.all(5, ({ Event }, handle) => {
      const event = Event.attach(handle);
      return [event.wait(), event.wait()];
    }, event.handle);
    await untilWaiting(event, 5);
    event.set();
    assert.deepEqual((await running).flat(), Array(10).fill(true));
    event.clear();
  }
  assert.equal(used(event.handle), 0);
});

Deno.test("Event: a wait that timed out returns false, also in a task", async () => {
  const event = new Event();
  const results = await threads.all(5, async ({ Event }, handle) => {
    const event = Event.attach(handle);
    const start = performance.now();
    const results = [
      event.wait({ timeout: 0 }),
      event.wait({ timeout: 0.02 }),
      await event.waitAsync({ timeout: 0 }),
      await event.waitAsync({ timeout: 0.02 }),
    ];
    return [...results, performance.now() - start >= 40];
  }, event.handle);
  for (const result of results) assert.deepEqual(result, [false, false, false, false, true]);
  event.set();
  assert.equal(event.wait({ timeout: 0 }), true);
  assert.equal(await event.waitAsync({ timeout: 0 }), true);
  assert.equal(used(event.handle), 0);
});

Deno.test("Event: a wait returns true even if the event is cleared at once", async () => {
  const event = new Event();
  const running = threads.all(5, ({ Event }, handle) => Event.attach(handle).wait(), event.handle);
  await untilWaiting(event, 5);
  event.set();
  event.clear();
  assert.deepEqual(await running, Array(5).fill(true));
});

Deno.test("Event: an abort ends the wait of a task", async () => {
  const event = new Event();
  const given = new AbortController();
  const waiting = [event.waitAsync(), event.waitAsync({ signal: given.signal, timeout: 60 })];
  const outcomes = Promise.allSettled(waiting);
  given.abort(new Error("enough"));
  event.set();
  assert.deepEqual(await outcomes, [
    { status: "fulfilled", value: true },
    { status: "rejected", reason: given.signal.reason },
  ]);
  await assert.rejects(event.waitAsync({ signal: given.signal }), { message: "enough" });
  assert.equal(used(event.handle), 0);
});

Deno.test("Event: negative timeouts are refused", async () => {
  const event = new Event();
  assert.throws(() => event.wait({ timeout: -1 }), RangeError);
  await assert.rejects(event.waitAsync({ timeout: -1 }), RangeError);
});
