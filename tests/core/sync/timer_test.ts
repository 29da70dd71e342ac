import assert from "node:assert/strict";
import { Timer } from "../../../core/sync/mod.ts";
import { Threads } from "./_threads.ts";

const threads = await Threads.make(1);

Deno.test("Timer: it calls its function once, after its interval", async () => {
  const calls: [number, string][] = [];
  const start = performance.now();
  const timer = new Timer(0.02, (n: number, s: string) => {
    calls.push([n, s]);
    assert.equal(timer.finished.isSet(), false);
  }, [1, "two"]);
  timer.start();
  assert.throws(() => timer.start(), { message: "a timer can be started once only" });
  assert.equal(calls.length, 0);
  assert.equal(await timer.finished.waitAsync(), true);
  assert.ok(performance.now() - start >= 20);
  assert.deepEqual(calls, [[1, "two"]]);
  timer.cancel();
});

Deno.test("Timer: a canceled timer calls nothing, even if it is started later", async () => {
  let called = false;
  for (const when of ["before", "after"]) {
    const timer = new Timer(0, () => called = true);
    if (when === "before") timer.cancel();
    timer.start();
    timer.cancel();
    await timer.finished.waitAsync();
  }
  const later = new Timer(0, () => {});
  later.start();
  await later.finished.waitAsync();
  assert.equal(called, false);
});

Deno.test("Timer: another isolate can cancel it, and can't start it", async () => {
  const timer = new Timer(60, () => assert.fail("it was cancelled"));
  timer.start();
  const cancel = (
    { Timer }: typeof import("../../../core/sync/mod.ts"),
    handle: typeof timer.handle,
  ) => {
    const timer = Timer.attach(handle);
    timer.cancel();
    timer.start();
  };
  await assert.rejects(threads.start(cancel, timer.handle).result, /started where it was created/);
  assert.equal(await timer.finished.waitAsync(), true);
});

Deno.test("Timer: negative intervals are refused", () => {
  assert.throws(() => new Timer(-1, () => {}), RangeError);
});
