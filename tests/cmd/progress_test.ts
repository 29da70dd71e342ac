import assert from "node:assert/strict";
import { counted, duration, render, type State, Tally } from "../../cmd/_term/progress.ts";

const state: State = {
  files: 1200,
  totalFiles: 5000,
  bytes: 4_915_200,
  totalBytes: 20_480_000,
  rate: 2e6,
  name: "photos/summer/long-name-of-a-picture.jpg",
};

Deno.test("the progress line has a bar, percentage, rate, time left, and more", () => {
  assert.equal(
    render(state, 150),
    `[${"#".repeat(14)}${"-".repeat(45)}]  24%  2.00 MB/s  8 s left  1,200/5,000 files  ` +
      "4.92 MB of 20.5 MB  photos/sum…picture.jpg",
  );
});

Deno.test("a narrow terminal has a shorter bar, and then none", () => {
  const cells = (width: number) => /^\[([#-]*)\]/.exec(render(state, width))?.[1].length ?? 0;
  assert.deepEqual([200, 79, 60, 45, 30].map(cells), [60, 20, 20, 17, 0]);
  for (let width = 0; width < 250; width++) {
    assert(cells(width) === 0 || (cells(width) >= 10 && cells(width) <= 60), String(width));
    if (width >= 28) assert.match(render(state, width), /24% {2}2.00 MB\/s {2}8 s left/);
  }
  assert.match(render({ ...state, bytes: state.totalBytes }, 200), /^\[#{60}\] {2}100%/);
  assert.match(render({ ...state, bytes: 0 }, 200), /^\[-{60}\] {2}0%/);
});

Deno.test("the line is never wider than the terminal", () => {
  for (let width = 0; width < 250; width++) {
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

Deno.test("without a total size the line shows only the moved bytes", () => {
  const unknown = { ...state, totalFiles: 1, files: 0, totalBytes: 0, name: "/home/x.tar" };
  assert.equal(render(unknown, 80), "4.92 MB  2.00 MB/s  /home/x.tar");
});

Deno.test("a tally adds events up and measures the rate", () => {
  const tally = new Tally();
  tally.add({ type: "plan", files: 2, bytes: 3000 });
  tally.state(0);
  tally.add({ type: "start", path: "/home/a", local: "a", size: 2000, offset: 1000 });
  tally.add({ type: "bytes", count: 400 });
  assert.equal(tally.state(0).rate, null);
  // The bytes of the first second fill the connection's buffers, so their rate is not the server's.
  assert.equal(tally.state(1000).rate, null);
  tally.add({ type: "bytes", count: 600 });
  const { files, bytes, totalBytes, rate, name } = tally.state(1500);
  // Bytes before the offset count as done, but not for the rate.
  assert.deepEqual([files, bytes, totalBytes, rate, name], [0, 2000, 3000, 1200, "a"]);
});

Deno.test("the rate changes slowly", () => {
  const tally = new Tally();
  tally.add({ type: "plan", files: 1, bytes: 1e6 });
  tally.add({ type: "bytes", count: 1 });
  tally.state(0);
  tally.state(1000);
  tally.add({ type: "bytes", count: 10_000 });
  assert.equal(tally.state(2000).rate, 10_000);
  const { rate } = tally.state(4000); // after two seconds without a byte
  assert.equal(rate, 5000);
});

Deno.test("durations are formatted with their units", () => {
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

Deno.test("a noun after a count is singular only for one", () => {
  assert.equal(counted(0, "file"), "0 files");
  assert.equal(counted(1, "file"), "1 file");
  assert.equal(counted(2000, "account"), "2,000 accounts");
  assert.equal(counted(2000, "file is", "files are"), "2,000 files are");
});
