/** What goes wrong on a stage: stuck threads, roles that throw, workers that die. */
import assert from "node:assert/strict";
import { chart, draw, legend } from "../../../core/demo/picture/timeline.ts";
import { Stuck } from "../../../core/demo/runner/scheduler.ts";
import type { SpokenEvent } from "../../../core/demo/trace.ts";
import deadlock from "../../../core/demo/lessons/deadlock.ts";
import editor from "../../../core/demo/lessons/editor.ts";
import { Pool } from "../../../core/demo/runner/worker_pool.ts";
import { Stage } from "../../../core/demo/runner/runner.ts";
import { svg } from "../../../core/demo/picture/svg.ts";
import { Lock, Queue } from "../../../core/sync/mod.ts";
import { watching } from "./_record.ts";

const title = { en: "a test", zh: "测试" };

function stage(pool: Pool, name: "deadlock" | "editor") {
  const { audience, lines } = watching();
  const lesson = name === "deadlock" ? deadlock : editor;
  const { signal } = new AbortController();
  const options = { name, lesson, pool, audience, seed: 1, kind: "worker", signal } as const;
  return { stage: new Stage(options), lines };
}

Deno.test("an act whose threads all wait, and nobody has joined them, fails with the graph", async () => {
  using pool = new Pool();
  const { stage: set } = stage(pool, "deadlock");
  const stuck = set.act(title, async (main) => {
    const lock = main.prop("L", new Lock());
    await main.start("t1", deadlock.roles.twice, { lock }, undefined);
  });
  await assert.rejects(stuck, (error) => {
    assert.ok(error instanceof Stuck);
    assert.deepEqual(error.waits, [{ who: "t1", for: "L", heldBy: ["t1"] }]);
    return true;
  });
});

Deno.test("what a thread throws fails the act, with the thread's name", async () => {
  using pool = new Pool();
  const { stage: set } = stage(pool, "editor");
  const failing = set.act(title, async (main) => {
    const from = main.prop("lines", new Queue());
    const save = await main.start("save", editor.roles.save, { from }, "/nonexistent/file");
    await main.put(from, "a line");
    await main.join([save]);
  });
  await assert.rejects(failing, /^Error: save: NotFound/);
  // The pool's workers still serve.
  const { stage: next } = stage(pool, "editor");
  const ended = await next.act(title, async (main) => {
    const from = main.prop("lines", new Queue());
    const save = await main.start("save", editor.roles.save, { from }, "/nonexistent/file");
    await main.put(from, null);
    return await main.join([save]);
  });
  assert.equal(ended, true);
});

Deno.test("a join with a timeout ends without the thread", async () => {
  using pool = new Pool();
  const { stage: set, lines } = stage(pool, "editor");
  const seen = await set.act(title, async (main) => {
    const from = main.prop("lines", new Queue());
    const save = await main.start("save", editor.roles.save, { from }, "/nonexistent/file");
    const inTime = await main.join([save], { timeout: 0.5 });
    const alive = main.isAlive(save);
    await main.put(from, null);
    return { inTime, alive };
  });
  assert.deepEqual(seen, { inTime: false, alive: true });
  assert.ok(lines.some((line) => line.includes("save did not end")));
});

Deno.test("what main throws is what the act throws", async () => {
  using pool = new Pool();
  const { stage: set } = stage(pool, "editor");
  const error = new RangeError("of main's own");
  await assert.rejects(set.act(title, () => Promise.reject(error)), error);
});

const event = (t: number, lane: string, what: SpokenEvent["what"], of?: string): SpokenEvent => ({
  ...{ act: 1, t, lane, what, of },
});
const events = [
  event(0, "t1", "starts"),
  event(1, "t1", "holds", "A<B"),
  event(2, "t2", "starts"),
  event(2, "t2", "waits", "A<B"),
  event(3, "t1", "sleeps"),
  event(4, "t1", "releases", "A<B"),
  event(4, "t2", "holds", "A<B"),
  event(8, "t2", "ends"),
  event(8, "t1", "ends"),
];

Deno.test("a timeline shows who has what, who waits, runs and sleeps", () => {
  const read = chart(events);
  assert.deepEqual(draw(read, 8), ["t1  ─AAA────", "t2    aaAAAA"]);
  assert.deepEqual(legend(read, "en"), [
    ...["─ runs", "~ sleeps", "A has A<B", "a waits for A<B", "A~ both at once"],
  ]);
  const many = Array.from({ length: 9 }, (_, i) => event(i, `t${i}`, "starts"));
  const lines = draw(chart(many), 10, { rows: 4 });
  assert.equal(lines.length, 4);
  assert.match(lines[2]!, /\(6 more\)/);
});

Deno.test("a picture is well-formed, whatever is in its names", () => {
  const drawing = [{ en: "x --> y", zh: "x --> y" }];
  const acts = [{ title: 'a "b"', clock: "staged", events, drawing }] as const;
  const text = svg("<&>", acts, "ok & done", "en");
  assert.doesNotMatch(text, /<&>|A<B|& done|--> y/);
  assert.match(text, /has A&#60;B/);
  const open = text.match(/<[a-z](?:[^>]*[^/>])?>/g)!.length;
  assert.equal(text.match(/<\/[a-z]+>/g)!.length, open);
});
