/** Each lesson shows what it is meant to show, in any order of turns. */
import assert from "node:assert/strict";
import { lessons, loadLesson } from "../../../core/demo/catalog.ts";
import { codeText, type Lesson } from "../../../core/demo/lesson.ts";
import { columnsOf } from "../../../core/demo/picture/display_width.ts";
import { runLesson } from "../../../core/demo/run_lesson.ts";
import { WorkerPool } from "../../../core/demo/runner/worker_pool.ts";
import { chineseTexts, englishIn, namesIn } from "./_chinese.ts";
import { record } from "./_record.ts";

/**
 * Smaller numbers of workers, for lessons that start many by default: the default number runs as tasks, since a worker
 * takes 20 ms of CPU. tests/scripts/executable_test.ts runs a hundred workers.
 */
const fewerWorkers: Readonly<Record<string, number>> = { lock: 8, deadlock: 4, semaphore: 8 };
/** The lessons whose order does not depend on the seed. */
const sequential = ["lifo", "daemon", "priority"];

Deno.test("every lesson succeeds with any seed, and its Chinese texts have no English", async (t) => {
  using pool = new WorkerPool();
  // The workers of one lesson serve the next, so a step ends with more resources than it had.
  const step = (name: string, fn: () => Promise<void>) =>
    t.step({ name, sanitizeOps: false, sanitizeResources: false, fn });
  for (const name of Object.keys(lessons)) await step(name, () => checkLesson(name, pool));
  await step(
    "a lesson runs the number and kind of threads wanted, or refuses them",
    () => chooseThreads(pool),
  );
});

async function checkLesson(name: string, pool: WorkerPool): Promise<void> {
  const lesson = await loadLesson(name);
  const { functions, kinds = [] } = lesson;
  const threads = fewerWorkers[name];
  const byDefault = await record(name, pool, { seed: 1, kind: threads ? "task" : undefined });
  assert.ok(byDefault.verdict.ok, byDefault.verdict.summary.en);
  checkChinese(lesson, byDefault);

  const first = threads ? await record(name, pool, { seed: 1, threads }) : byDefault;
  // Workers and tasks are interleaved alike, so one run covers both kinds.
  const kind = kinds.includes("task") ? "task" : undefined;
  const second = await record(name, pool, { seed: 1, threads, kind });
  assert.deepEqual(second.lines, first.lines, "the same seed, the same lines");
  assert.deepEqual(second.verdict.summary, first.verdict.summary);

  const other = await record(name, pool, { seed: 77, threads });
  assert.ok(other.verdict.ok, other.verdict.summary.en);
  if (functions === undefined || sequential.includes(name)) return;
  assert.notDeepEqual(other.lines, first.lines, "another seed, another interleaving");
}

function checkChinese(lesson: Lesson, { parts, verdict }: Awaited<ReturnType<typeof record>>) {
  const code = namesIn(lesson, parts);
  const figures = (verdict.measured ?? []).map(({ name }) => name.zh);
  const comments = codeText(lesson.code).zh.match(/(?:\/\/|--) .*$/gm) ?? [];
  const texts = [...chineseTexts(parts), verdict.summary.zh, ...figures, lesson.idea.zh];
  const english = [...texts, ...comments].filter((text) => englishIn(text, code).length > 0);
  assert.deepEqual([...new Set(english)], []);
}

async function chooseThreads(pool: WorkerPool): Promise<void> {
  const { verdict } = await record("lock", pool, { seed: 1, threads: 7 });
  assert.equal(verdict.summary.en, "n = 7; without a lock 6 is left, with it 0");
  const usage = { kind: "usage" };
  await assert.rejects(record("lock", pool, { seed: 1, threads: 1 }), usage);
  await assert.rejects(record("thread", pool, { seed: 1, threads: 3 }), usage);
  await assert.rejects(record("rlock", pool, { seed: 1, kind: "task" }), usage);
  const lenient = await record("thread", pool, { seed: 1, threads: 3, lenient: true });
  assert.ok(lenient.verdict.ok);
}

Deno.test("every lesson explains itself in both languages, with code", async () => {
  for (const [name, brief] of Object.entries(lessons)) {
    const lesson = await loadLesson(name);
    const { idea } = lesson;
    const code = codeText(lesson.code);
    for (const text of [brief, idea]) {
      assert.match(text.zh, /\p{Script=Han}{2}/u, name);
      assert.doesNotMatch(text.en, /\p{Script=Han}/u, name);
    }
    assert.doesNotMatch(code.en, /\p{Script=Han}/u, name);
    assert.deepEqual(englishIn(brief.zh, namesIn(lesson)), [], name);
    assert.ok(idea.en.length > 200 && code.en.length > 50, name);
    for (const line of [...code.en.split("\n"), ...code.zh.split("\n")]) {
      assert.ok(columnsOf(line) <= 100, `${name}: ${line}`);
    }
  }
});

Deno.test("an interrupted lesson ends, whatever its threads do", async () => {
  using pool = new WorkerPool();
  for (const name of ["lock", "semaphore", "deadlock", "async", "clients", "timer"]) {
    const stop = new AbortController();
    const reason = new Error("interrupted");
    let events = 0;
    const reporter = {
      partStarts: () => {},
      drawing: () => {},
      event: () => void (++events === 5 && stop.abort(reason)),
    };
    const options = { seed: 1, threads: 4, lenient: true, signal: stop.signal };
    await assert.rejects(runLesson(name, reporter, pool, options), reason, name);
  }
});
