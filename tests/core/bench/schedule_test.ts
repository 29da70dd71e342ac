import assert from "node:assert/strict";
import { ClosedLoop, PacedSchedule } from "../../../core/bench/schedule.ts";

Deno.test("a closed loop sends at most its number of requests", () => {
  const schedule = new ClosedLoop(2);
  assert.equal(schedule.exhausted, false);
  assert.notEqual(schedule.take(), undefined);
  assert.notEqual(schedule.take(), undefined);
  assert.equal(schedule.exhausted, true);
  assert.equal(schedule.take(), undefined);
});

Deno.test("a paced schedule releases requests to the connections in turn, when they are due", () => {
  const schedule = new PacedSchedule(1000, 100, 2, 4);
  assert.equal(schedule.release(999), undefined);
  assert.deepEqual(schedule.release(1000), { connection: 0, due: 1000 });
  assert.equal(schedule.release(1009), undefined);
  assert.deepEqual(schedule.release(1010), { connection: 1, due: 1010 });
  assert.equal(schedule.nextDue, 1020);
  assert.equal(schedule.exhausted, false);
});

Deno.test("requests that a paced schedule releases late count from their due times", () => {
  const schedule = new PacedSchedule(1000, 100, 2, 4);
  const released = [];
  for (let one; (one = schedule.release(5000));) released.push(one.connection);
  assert.deepEqual(released, [0, 1, 0, 1]);
  assert.equal(schedule.exhausted, true);
  assert.equal(schedule.take(1), 1010);
  assert.equal(schedule.isDue(1), true);
  assert.equal(schedule.take(1), 1030);
  assert.equal(schedule.isDue(1), false);
  assert.equal(schedule.take(1), undefined);
  assert.equal(schedule.take(0), 1000);
});
