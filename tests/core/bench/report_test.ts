import assert from "node:assert/strict";
import { draw } from "../../../core/bench/report.ts";

Deno.test("a histogram's bars: a few of many are more than none, and none have no bar", () => {
  const lines = draw([
    { upTo: 1, count: 999_999 },
    { upTo: 2, count: 0 },
    { upTo: 5, count: 1 },
  ], 60);
  assert.match(lines[0]!, / 100\.00% █{20,}$/);
  assert.match(lines[1]!, / 0\.00%$/);
  assert.match(lines[2]!, / <0\.01% ▏$/);
});
