import assert from "node:assert/strict";
import { BargeError } from "../../../../core/error.ts";
import { behind, Fences, makeFenceTable } from "../../../../core/local/vault/fences.ts";

Deno.test("a raised fence stops the writers of its upload in all isolates, and no others", async () => {
  const table = makeFenceTable(2);
  const [one, two] = [new Fences(0, table), new Fences(1, table)];
  using fence = one.take(7);
  using other = one.take(8);
  assert.equal(behind(fence, () => "written"), "written");
  assert.equal(await two.raise(7), true);
  assert.deepEqual([fence.raised, fence.takenOver, fence.enter()], [true, true, false]);
  assert.throws(() => behind(fence, () => assert.fail("written")), BargeError);
  assert.equal(behind(other, () => other.raised), false);
  using next = two.take(7); // the taker's own
  assert.equal(behind(next, () => next.raised), false);
  two.end(7);
  assert.deepEqual([fence.takenOver, next.raised, next.takenOver], [true, true, false]);
});

Deno.test("raising waits for a write under way, and returns false for one that does not end", async () => {
  const fences = new Fences();
  using fence = fences.take(1);
  assert.ok(fence.enter());
  let sure: boolean | undefined;
  const raising = fences.raise(1).then((value) => sure = value);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(sure, undefined);
  fence.leave();
  await raising;
  assert.equal(sure, true);
  assert.equal(fence.enter(), false);

  using stuck = fences.take(2);
  assert.ok(stuck.enter());
  assert.equal(await fences.raise(2), false);
  assert.equal(await fences.raise(3), false, "nobody was found");
});

Deno.test("slots are released, end with the worker, and are bounded", () => {
  const table = makeFenceTable(1);
  const fences = new Fences(0, table);
  for (let i = 1; i <= 20_000; i++) fences.take(i)[Symbol.dispose]();
  const held = [];
  let failure: unknown;
  try {
    for (let i = 1; i <= 20_000; i++) held.push(fences.take(i));
  } catch (error) {
    failure = error;
  }
  assert.ok(failure instanceof BargeError && failure.kind === "unavailable");
  for (const fence of held) fence[Symbol.dispose]();
  using _again = fences.take(1);
  assert.ok(!new Fences(0, table).take(1).raised); // the worker's successor
});
