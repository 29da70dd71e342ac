/** Every lesson shows what it is there to show, whoever's turn it is when. */
import assert from "node:assert/strict";
import { lessons, load } from "../../../core/demo/lessons.ts";
import { Pool } from "../../../core/demo/pool.ts";
import { play } from "../../../core/demo/run.ts";
import { played } from "./_watch.ts";

// The workers of one lesson serve the next, so that a step ends with more than it began with.
async function step(t: Deno.TestContext, name: string, fn: () => Promise<void>): Promise<void> {
  await t.step({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

Deno.test("every lesson shows its point, and the same seed tells the same again", async (t) => {
  using pool = new Pool();
  for (const name of Object.keys(lessons)) {
    await step(t, name, async () => {
      const first = await played(name, pool, { seed: 1 });
      const again = await played(name, pool, { seed: 1 });
      assert.ok(first.verdict.ok, first.verdict.said.en);
      assert.deepEqual(again.lines, first.lines);
      assert.deepEqual(again.verdict.said, first.verdict.said);
    });
  }
});

Deno.test("every lesson shows its point with other seeds", async (t) => {
  using pool = new Pool();
  for (const name of Object.keys(lessons)) {
    await step(t, name, async () => {
      const lines: string[][] = [];
      for (const seed of [2, 77]) {
        const { verdict, ...told } = await played(name, pool, { seed });
        assert.ok(verdict.ok, `seed ${seed}: ${verdict.said.en}`);
        lines.push(told.lines);
      }
      const { roles } = await load(name);
      const several = roles !== undefined && !["lifo", "daemon", "priority"].includes(name);
      if (several) assert.notDeepEqual(lines[0], lines[1], "another seed, another interleaving");
    });
  }
});

Deno.test("every lesson that may have tasks for threads has the same point with them", async (t) => {
  using pool = new Pool();
  for (const name of Object.keys(lessons)) {
    const { kinds = [] } = await load(name);
    if (!kinds.includes("task")) continue;
    await step(t, name, async () => {
      const [tasks, again] = [
        await played(name, pool, { seed: 5, kind: "task" }),
        await played(name, pool, { seed: 5, kind: "task" }),
      ];
      assert.ok(tasks.verdict.ok, tasks.verdict.said.en);
      assert.deepEqual(again.lines, tasks.lines);
    });
  }
});

Deno.test("workers and tasks are interleaved alike", async () => {
  using pool = new Pool();
  for (const name of ["semaphore", "condition", "queue"]) {
    const worker = await played(name, pool, { seed: 3, kind: "worker" });
    const task = await played(name, pool, { seed: 3, kind: "task" });
    assert.deepEqual(task.lines, worker.lines);
  }
});

Deno.test("lessons take as many threads as they are told to, and say which they can't", async () => {
  using pool = new Pool();
  const { verdict } = await played("lock", pool, { seed: 1, threads: 7 });
  assert.equal(verdict.said.en, "n = 7; without: 6; with: 0");
  const usage = { kind: "usage" };
  await assert.rejects(played("lock", pool, { seed: 1, threads: 1 }), usage);
  await assert.rejects(played("thread", pool, { seed: 1, threads: 3 }), usage);
  await assert.rejects(played("rlock", pool, { seed: 1, kind: "task" }), usage);
  const lenient = await played("thread", pool, { seed: 1, threads: 3, lenient: true });
  assert.ok(lenient.verdict.ok);
});

Deno.test("every lesson explains itself in both languages, with code", async () => {
  for (const [name, { brief }] of Object.entries(lessons)) {
    const { idea, code } = await load(name);
    for (const text of [brief, idea]) {
      assert.match(text.zh, /\p{Script=Han}{2}/u, name);
      assert.doesNotMatch(text.en, /\p{Script=Han}/u, name);
    }
    assert.ok(idea.en.length > 200 && code.length > 50, name);
    for (const line of code.split("\n")) assert.ok(line.length <= 96, `${name}: ${line}`);
  }
});

Deno.test("a lesson that is interrupted ends, whatever it does", async () => {
  for (const name of ["lock", "semaphore", "deadlock", "async", "clients", "timer"]) {
    using pool = new Pool();
    const stop = new AbortController();
    const reason = new Error("enough");
    let seen = 0;
    const audience = {
      begins: () => {},
      draws: () => {},
      happens: () => void (++seen === 5 && stop.abort(reason)),
    };
    const wish = { threads: 8, lenient: true };
    const playing = play(name, audience, pool, { seed: 1, signal: stop.signal, ...wish });
    await assert.rejects(playing, reason, name);
  }
});
