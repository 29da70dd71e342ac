/** Every lesson shows what it is there to show, whoever's turn it is when. */
import assert from "node:assert/strict";
import { lessons, load } from "../../../core/demo/catalog.ts";
import { columnsOf } from "../../../core/demo/picture/display_width.ts";
import { Pool } from "../../../core/demo/runner/worker_pool.ts";
import { play } from "../../../core/demo/run_lesson.ts";
import type { Lesson } from "../../../core/demo/lesson.ts";
import { englishIn, namesIn, said } from "./_chinese.ts";
import { played } from "./_record.ts";

// The workers of one lesson serve the next, so that a step ends with more than it began with.
async function step(t: Deno.TestContext, name: string, fn: () => Promise<void>): Promise<void> {
  await t.step({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

/** Fewer threads than usual, where many take their time and show no more. */
const fewer: Readonly<Record<string, number>> = { lock: 20, deadlock: 4, semaphore: 8 };
/** Lessons in which nothing is left to chance. */
const sequential = ["lifo", "daemon", "priority"];

Deno.test("every lesson shows its point, whoever's turn it is, and in Chinese all is Chinese", async (t) => {
  using pool = new Pool();
  for (const name of Object.keys(lessons)) {
    await step(t, name, async () => {
      const lesson = await load(name);
      const { roles, kinds = [] } = lesson;
      const usual = await played(name, pool, { seed: 1 });
      assert.ok(usual.verdict.ok, usual.verdict.said.en);
      isChinese(lesson, usual);

      const threads = fewer[name];
      const first = threads ? await played(name, pool, { seed: 1, threads }) : usual;
      // Workers and tasks are interleaved alike, so one run shows that, too.
      const kind = kinds.includes("task") ? "task" : undefined;
      const again = await played(name, pool, { seed: 1, threads, kind });
      assert.deepEqual(again.lines, first.lines, "the same seed, the same lines");
      assert.deepEqual(again.verdict.said, first.verdict.said);

      const other = await played(name, pool, { seed: 77, threads });
      assert.ok(other.verdict.ok, other.verdict.said.en);
      if (roles === undefined || sequential.includes(name)) return;
      assert.notDeepEqual(other.lines, first.lines, "another seed, another interleaving");
    });
  }
});

function isChinese(lesson: Lesson, { acts, verdict }: Awaited<ReturnType<typeof played>>): void {
  const code = namesIn(lesson, acts);
  const figures = (verdict.measured ?? []).map(({ name }) => name.zh);
  const comments = lesson.code.zh.match(/(?:\/\/|--) .*$/gm) ?? [];
  const lines = [...said(acts), verdict.said.zh, ...figures, lesson.idea.zh, ...comments];
  const english = lines.filter((line) => englishIn(line, code).length > 0);
  assert.deepEqual([...new Set(english)], []);
}

Deno.test("lessons take as many threads as they are told to, and say which they can't", async () => {
  using pool = new Pool();
  const { verdict } = await played("lock", pool, { seed: 1, threads: 7 });
  assert.equal(verdict.said.en, "n = 7; without a lock 6 is left, with it 0");
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
    assert.doesNotMatch(code.en, /\p{Script=Han}/u, name);
    assert.deepEqual(englishIn(brief.zh, namesIn({ code })), [], name);
    assert.ok(idea.en.length > 200 && code.en.length > 50, name);
    for (const line of [...code.en.split("\n"), ...code.zh.split("\n")]) {
      assert.ok(columnsOf(line) <= 100, `${name}: ${line}`);
    }
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
