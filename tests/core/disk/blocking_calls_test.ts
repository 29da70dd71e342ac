import assert from "node:assert/strict";
import { BlockingCalls } from "../../../core/disk/blocking_calls.ts";

/** More than the most that a single call counts for. */
const slowMs = 2;

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

Deno.test("a few slow calls do not move the others to another thread, a series of them does", () => {
  const calls = new BlockingCalls(0.2);
  for (let i = 0; i < 5; i++) calls.run(() => spin(slowMs));
  assert.ok(calls.allowed);
  for (let i = 0; i < 10; i++) calls.run(() => spin(slowMs));
  assert.ok(!calls.allowed);
});
