import assert from "node:assert/strict";
import { duration, render, type State, Tally } from "../../cmd/_term/progress.ts";

const state: State = {
  files: 1200,
  totalFiles: 5000,
  bytes: 4_915_200,
  totalBytes: 20_480_000,
  rate: 2e6,
  name: "photos/summer/long-name-of-a-picture.jpg",
};

Deno.test("the line says files, bytes, rate, time left and name", () => {
  assert.equal(
    render(state, 120),
    "1,200/5,000 files  4.92 MB of 20.5 MB  24%  2.00 MB/s  8 s left  " +
      "photos/summer/long-name-of-a-picture.jpg",
  );
});

Deno.test("the line is never wider than the terminal", () => {
  for (let width = 0; width < 130; width++) {
    assert(Array.from(render(state, width)).length <= width, String(width));
  }
});

Deno.test("wide characters count as two columns", () => {
  const line = render({ ...state, name: "写真".repeat(30) }, 100);
  const columns = Array.from(line).reduce((n, c) => n + (/[写真]/.test(c) ? 2 : 1), 0);
  assert(columns <= 100 && columns > 95, `${columns}: ${line}`);
});

Deno.test("control characters in a name don't reach the terminal", () => {
  const line = render({ ...state, name: "a\x1b[2Jb\nc\u202e" }, 120);
  assert(line.endsWith("a\\e[2Jb\\nc\\u{202e}"), line);
});

Deno.test("of an unknown size only what was moved is told", () => {
  const unknown = { ...state, totalFiles: 1, files: 0, totalBytes: 0, name: "/home/x.tar" };
  assert.equal(render(unknown, 80), "4.92 MB  2.00 MB/s  /home/x.tar");
});

Deno.test("a tally adds events up and measures the rate", () => {
  const tally = new Tally();
  tally.add({ type: "plan", files: 2, bytes: 3000 });
  tally.state(0);
  tally.add({ type: "start", path: "/home/a", local: "a", size: 2000, offset: 1000 });
  tally.add({ type: "bytes", count: 1000 });
  const { files, bytes, totalBytes, rate, name } = tally.state(500);
  // What was there before counts as done, but not as fast.
  assert.deepEqual([files, bytes, totalBytes, rate, name], [0, 2000, 3000, 2000, "a"]);
});

Deno.test("the rate changes slowly", () => {
  const tally = new Tally();
  tally.add({ type: "plan", files: 1, bytes: 1e6 });
  tally.state(0);
  tally.add({ type: "bytes", count: 10_000 });
  assert.equal(tally.state(1000).rate, 10_000);
  const { rate } = tally.state(3000); // two seconds of nothing: half of it is left
  assert.equal(rate, 5000);
});

Deno.test("durations are said as people say them", () => {
  const cases: [number, string][] = [
    [0, "0.0 s"],
    [0.96, "1.0 s"],
    [3.4, "3 s"],
    [59.4, "59 s"],
    [61, "1 min 1 s"],
    [3661, "1 h 1 min"],
    [999_999, "11 days"],
  ];
  for (const [seconds, text] of cases) assert.equal(duration(seconds), text);
});
