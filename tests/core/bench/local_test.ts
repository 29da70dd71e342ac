import assert from "node:assert/strict";
import { bars, svg } from "../../../core/bench/local/draw.ts";
import { byReadyWorkers, byTasks, byWorkers } from "../../../core/bench/local/job.ts";
import { measure, type Subject } from "../../../core/bench/local/measure.ts";
import { subjects } from "../../../core/bench/local/subjects.ts";

const never = new AbortController().signal;

function counted(): { subject: Subject; order: string[] } {
  const order: string[] = [];
  const way = (name: string, times: number[]) => ({
    name,
    is: `<${name}>`,
    author: { what: "theirs", seconds: 2 },
    run() {
      order.push(name);
      return Promise.resolve(times.shift()!);
    },
  });
  const ways = [way("a", [3, 1, 2]), way("b", [10, 30, 20])];
  return { subject: { name: "s", title: "t & u", scale: "less", ways }, order };
}

Deno.test("ways take turns, and each has a median and a spread", async () => {
  const { subject, order } = counted();
  const rows = await measure(subject, 3, never);
  assert.deepEqual(order, ["a", "b", "a", "b", "a", "b"]);
  assert.deepEqual(rows.map(({ median, least, most }) => [median, least, most]), [
    [2, 1, 3],
    [20, 10, 30],
  ]);
});

Deno.test("a stop keeps the measurements so far", async () => {
  const { subject, order } = counted();
  const stop = new AbortController();
  const rows = await measure(subject, 3, stop.signal, () => order.length === 2 && stop.abort());
  assert.deepEqual(rows.map(({ seconds }) => seconds.length), [2, 1]);
});

Deno.test("bars and pictures show barge's figures beside the course's", async () => {
  const { subject } = counted();
  const rows = await measure(subject, 1, never);
  const text = bars(subject, rows, 80).join("\n");
  assert.match(text, /b +10\.0 s .* █/);
  assert.match(text, /the course: theirs 2\.00 s/);
  assert(bars(subject, rows, 80).every((line) => line.length <= 120));
  const picture = svg(subject, rows, "a <machine>");
  assert.match(picture, /t &amp; u/);
  assert.match(picture, /a &lt;machine&gt;/);
  assert.equal(picture.match(/<rect /g)?.length, 4);
});

Deno.test("jobs are done by tasks and by workers", async () => {
  await byTasks([{ kind: "nothing" }, { kind: "cpu", count: 10 }]);
  await byWorkers([{ kind: "nothing" }, { kind: "cpu", count: 10 }], never);
  const stopped = AbortSignal.abort(new Error("stopped"));
  await assert.rejects(byWorkers([{ kind: "nothing" }], stopped), /stopped/);
});

Deno.test("running workers do jobs, and a stop ends them", async () => {
  const path = new URL(import.meta.url).pathname;
  const jobs = [{ kind: "io", path, times: 3 }, { kind: "cpu", count: 10 }] as const;
  assert.ok(await byReadyWorkers(jobs, never) > 0);
  const stopped = AbortSignal.abort(new Error("stopped"));
  await assert.rejects(byReadyWorkers(jobs, stopped), /stopped/);
  const missing = [{ kind: "io", path: "/nonexistent/file", times: 1 }] as const;
  await assert.rejects(byReadyWorkers(missing, never), /No such file/);
});

Deno.test("the subjects without subprocesses are measured", async () => {
  const setting = {
    quick: true,
    file: "",
    start: () => assert.fail("no subprocess is needed"),
  };
  for (const name of ["fetch", "queue", "switch"]) {
    const rows = await measure(subjects[name](setting), 1, never);
    assert(rows.length >= 2 && rows.every(({ median }) => median > 0), name);
  }
});
