/** Token buckets, on a clock of the test. */
import assert from "node:assert/strict";
import { Rate } from "../../../core/watch/rate.ts";

Deno.test("each account moves the bytes of a second at once, then keeps the rate", () => {
  let now = 0;
  const rate = new Rate(1000, () => 1, () => now);
  assert.equal(rate.take(1, 600), 0);
  assert.equal(rate.take(1, 400), 0);
  assert.equal(rate.take(1, 500), 500);
  assert.equal(rate.take(1, 500), 1000);
  assert.equal(rate.take(2, 1000), 0);
  now = 1000;
  assert.equal(rate.take(1, 250), 250);
  now = 60_000;
  assert.equal(rate.take(1, 1000), 0, "more than a second's worth is not kept");
  assert.equal(rate.take(1, 1), 1);
});

Deno.test("a worker has the share of the rate that it has of the connections", () => {
  const shares: Record<number, number> = { 1: 0.25, 2: 0 };
  const rate = new Rate(1000, (account) => shares[account], () => 0);
  assert.equal(rate.take(1, 250), 0);
  assert.equal(rate.take(1, 250), 1000);
  shares[1] = 1;
  assert.equal(rate.take(1, 250), 1250);
  assert.equal(rate.take(2, 1500), 500, "none are counted yet");
});

Deno.test("pieces are smaller at lower rates, within bounds", () => {
  for (const [perSecond, piece] of [[1024, 256], [100_000, 25_000], [1e9, 65_536]]) {
    assert.equal(new Rate(perSecond, () => 1).piece(1), piece);
  }
});

Deno.test("full buckets are dropped", () => {
  let now = 0;
  const rate = new Rate(1000, () => 1, () => now);
  for (let i = 0; i < 100_000; i++) {
    now += 1;
    assert.equal(rate.take(i, 1000), 0);
  }
});
