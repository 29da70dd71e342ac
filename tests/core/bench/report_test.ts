import assert from "node:assert/strict";
import { draw } from "../../../core/bench/report.ts";

Deno.test("the smallest share of a histogram has a visible bar, and an empty one has none", () => {
  const lines = draw([
    { upTo: 1, count: 999_999 },
    { upTo: 2, count: 0 },
    { upTo: 5, count: 1 },
  ], 60);
  assert.match(lines[0]!, / 100\.00% █{20,}$/);
  assert.match(lines[1]!, / 0\.00%$/);
  assert.match(lines[2]!, / <0\.01% ▏$/);
});
