import assert from "node:assert/strict";
import { Quick } from "../../../core/disk/quick.ts";

Deno.test("calls are made here until they are slow on average, and then not for a while", () => {
  const calls = new Quick(1);
  for (let i = 0; i < 100; i++) calls.took(0.5);
  assert.ok(calls.here);
  let more = 0;
  for (; calls.here && more < 100; more++) calls.took(2);
  assert.ok(more > 1 && more < 100, `slow after ${more}`);
});

Deno.test("one call that was held up makes no slow disk of a quick one", () => {
  const calls = new Quick(1);
  for (let i = 0; i < 100; i++) calls.took(i % 50 === 0 ? 1000 : 0.1);
  assert.ok(calls.here);
});

Deno.test("what a call returns and throws is the caller's", () => {
  const calls = new Quick(1);
  assert.equal(calls.try(() => 7), 7);
  assert.throws(() => calls.try(() => assert.fail("no")), /no/);
});
