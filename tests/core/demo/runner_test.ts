/** Failures of a scheduled part: stuck threads, code that throws, timeouts. */
import assert from "node:assert/strict";
import deadlock from "../../../core/demo/lessons/deadlock.ts";
import editor from "../../../core/demo/lessons/editor.ts";
import { Runner } from "../../../core/demo/runner/runner.ts";
import { StuckError } from "../../../core/demo/runner/scheduler.ts";
import { WorkerPool } from "../../../core/demo/runner/worker_pool.ts";
import { Lock, Queue } from "../../../core/sync/mod.ts";
import { recorder } from "./_record.ts";

const title = { en: "a test", zh: "测试" };

function makeRunner(pool: WorkerPool, name: "deadlock" | "editor") {
  const { reporter, lines } = recorder();
  const code = name === "deadlock" ? deadlock : editor;
  const { signal } = new AbortController();
  const options = { name, code, pool, reporter, seed: 1, kind: "worker", signal } as const;
  return { runner: new Runner(options), lines };
}

Deno.test("a part whose threads all wait, and none is joined, fails with the wait-for graph", async () => {
  using pool = new WorkerPool();
  const { runner } = makeRunner(pool, "deadlock");
  const stuck = runner.runScheduled(title, async (main) => {
    const lock = main.register("L", new Lock());
    await main.start("t1", deadlock.functions.takeTwice, { lock }, undefined);
  });
  await assert.rejects(stuck, (error) => {
    assert.ok(error instanceof StuckError);
    assert.deepEqual(error.waits, [{ thread: "t1", object: "L", holders: ["t1"] }]);
    return true;
  });
});

Deno.test("an error in a thread fails the part, with the thread's name", async () => {
  using pool = new WorkerPool();
  const { save } = editor.functions;
  const { runner } = makeRunner(pool, "editor");
  const failing = runner.runScheduled(title, async (main) => {
    const from = main.register("lines", new Queue());
    const thread = await main.start("save", save, { from }, "/nonexistent/file");
    await main.put(from, "a line");
    await main.join([thread]);
  });
  await assert.rejects(failing, /^Error: save: NotFound/);
  // The workers of the pool still serve.
  const { runner: next } = makeRunner(pool, "editor");
  const ended = await next.runScheduled(title, async (main) => {
    const from = main.register("lines", new Queue());
    const thread = await main.start("save", save, { from }, "/nonexistent/file");
    await main.put(from, null);
    return await main.join([thread]);
  });
  assert.equal(ended, true);
});

Deno.test("a join with a timeout ends before the thread", async () => {
  using pool = new WorkerPool();
  const { runner, lines } = makeRunner(pool, "editor");
  const { save } = editor.functions;
  const result = await runner.runScheduled(title, async (main) => {
    const from = main.register("lines", new Queue());
    const thread = await main.start("save", save, { from }, "/nonexistent/file");
    const inTime = await main.join([thread], { timeout: 0.5 });
    const alive = main.isAlive(thread);
    await main.put(from, null);
    return { inTime, alive };
  });
  assert.deepEqual(result, { inTime: false, alive: true });
  assert.ok(lines.some((line) => line.includes("save did not end")));
});

Deno.test("an error of main is the error of the part", async () => {
  using pool = new WorkerPool();
  const { runner } = makeRunner(pool, "editor");
  const error = new RangeError("of main's own");
  await assert.rejects(runner.runScheduled(title, () => Promise.reject(error)), error);
});
