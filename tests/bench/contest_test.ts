import { deepEqual, equal, match } from "node:assert/strict";
import { type Entry, median, outcomeTable, runContest } from "../../bench/peers/contest.ts";
import { slope, svg } from "../../bench/plot.ts";

function entry(name: string, kind: Entry["kind"], values: readonly number[], ran: string[]): Entry {
  return {
    name,
    kind,
    run(round) {
      ran.push(`${name}${round}`);
      const value = values[round];
      return value < 0 ? Promise.reject(new Error("too much")) : Promise.resolve({ value });
    },
  };
}

Deno.test("entries take turns, and another one begins each round", async () => {
  const ran: string[] = [];
  const entries = ["a", "b", "c"].map((name) => entry(name, "peer", [1, 1], ran));
  await runContest({ title: "", unit: "s", better: "less", entries }, 2, () => {});
  deepEqual(ran, ["a0", "b0", "c0", "b1", "c1", "a1"]);
});

Deno.test("the ratio is to the best peer's median, whatever floors and ours options_", async () => {
  const entries = [
    entry("ours", "ours", [3, 3, 9], []),
    entry("slow", "peer", [8, 8, 8], []),
    entry("fast", "peer", [1, 2, 5], []),
    entry("floor", "floor", [1, 1, 1], []),
  ];
  const less = await runContest(
    { title: "t", unit: "s", better: "less", digits: 0, entries },
    3,
    () => {},
  );
  const [, , , , ...rows] = outcomeTable(less).split("\n");
  deepEqual(rows, [
    "| **ours** | 3 | 3 to 9 | 1.50 |",
    "| fast | 2 | 1 to 5 | 1.00 |",
    "| slow | 8 | 8 to 8 | 4.00 |",
    "| *floor* | 1 | 1 to 1 | 0.50 |",
  ]);
  match(outcomeTable({ ...less, better: "more" }), /\*\*ours\*\* \| 3 \| 3 to 9 \| 0.38 /);
});

Deno.test("a peer that has failed at a part of its work is not the best one", async () => {
  const hasty: Entry = {
    name: "hasty",
    kind: "peer",
    run: () => Promise.resolve({ value: 1, more: { failed: 3 } }),
  };
  const entries = [hasty, entry("sound", "peer", [4], [])];
  const outcome = await runContest({ title: "", unit: "s", better: "less", entries }, 1, () => {});
  match(outcomeTable(outcome), /\| sound \| 4.00 \| 4.00 to 4.00 \| 1.00 \|/);
});

Deno.test("who fails is told, and takes no further part", async () => {
  const ran: string[] = [];
  const entries = [entry("a", "peer", [-1, 1], ran), entry("b", "ours", [1, -1], ran)];
  const outcome = await runContest({ title: "", unit: "s", better: "less", entries }, 2, () => {});
  deepEqual(ran, ["a0", "b0", "b1"]);
  match(outcomeTable(outcome), /\| a \| fails: too much \|/);
  match(
    outcomeTable(outcome),
    /\*\*b\*\* \(then fails: too much\) \| 1.00 \| 1.00 to 1.00 \| {2}\|/,
  );
});

Deno.test("a median of an even number is the mean of the two in the middle", () => {
  equal(median([4, 1, 3, 2]), 2.5);
  equal(median([10, 9, 1]), 9);
});

Deno.test("a slope is the power that something grows by", () => {
  const line = (of: (x: number) => number) => [1, 10, 100, 1000].map((x) => ({ x, y: of(x) }));
  equal(slope(line((x) => 7 * x)).toFixed(6), "1.000000");
  equal(slope(line((x) => x * x)).toFixed(6), "2.000000");
  equal(Math.abs(slope(line(() => 5))).toFixed(6), "0.000000");
});

Deno.test("a plot has both ends of its lines inside of its frame, and no markup from names", () => {
  const points = [{ x: 10, y: 0.2 }, { x: 100_000, y: 90 }];
  const text = svg({ title: "a < b", x: "x", y: "y", lines: { "<b>": points } }, "");
  equal(text.includes("a &lt; b") && text.includes("&lt;b&gt;") && !text.includes("<b>"), true);
  const [[x1, y1], [x2, y2]] = /polyline points="([^"]+)"/.exec(text)![1].split(" ")
    .map((place) => place.split(",").map(Number));
  equal(x1, 76); // the left edge: ten is a whole power of ten
  equal(x2, 760 - 230);
  equal(y1 < 460 - 52 && y2 > 56 && y1 > y2, true);
});
