/** The history of moved bytes, in shared memory. */
import assert from "node:assert/strict";
import { History, makeHistory, sampleIntervalMs } from "../../../core/watch/history.ts";

const start = 1_700_000_000_000;
const moved = (received: number, sent = 0) => ({ received, sent });

Deno.test("rates are computed between samples, up to now", () => {
  const memory = makeHistory();
  const writer = new History(memory);
  const reader = new History(memory);
  assert.deepEqual(reader.rates("hour", moved(5), start), []);
  writer.sample(moved(0), start);
  writer.sample(moved(1), start + 4000); // not due yet
  writer.sample(moved(20_000, 50_000), start + sampleIntervalMs);
  const rates = reader.rates("hour", moved(21_000, 50_000), start + sampleIntervalMs + 1000);
  assert.deepEqual(rates.map(({ received, sent }) => [received, sent]), [[2000, 5000], [1000, 0]]);
  assert.equal(reader.rates("day", moved(0), start + 1).length, 1);
});

Deno.test("the memory is bounded: the newest hour and day are kept", () => {
  const history = new History();
  const samples = 100_000;
  for (let i = 0; i < samples; i++) history.sample(moved(i * 10), start + i * sampleIntervalMs);
  const end = start + (samples - 1) * sampleIntervalMs;
  for (const [span, ms] of [["hour", 3_600_000], ["day", 86_400_000]] as const) {
    const rates = history.rates(span, moved((samples - 1) * 10), end + 1);
    assert(rates[0].from <= end - ms, span);
    assert(rates[0].from > end - ms * 1.02, span);
    for (const { received } of rates.slice(0, -1)) assert.equal(received, 1);
  }
});

Deno.test("a clock that is set back, and counters that restart, make no negative rates", () => {
  const history = new History();
  history.sample(moved(100), start);
  history.sample(moved(50), start + sampleIntervalMs);
  const rates = history.rates("hour", moved(60), start);
  assert.deepEqual(rates.map(({ received }) => received), [0]);
});
