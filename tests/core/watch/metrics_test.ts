/** Counts of several workers: sums, deaths of workers, and bounded memory. */
import assert from "node:assert/strict";
import {
  latencyBoundsSeconds,
  makeSharedCounts,
  Metrics,
  quantile,
} from "../../../core/watch/metrics.ts";
import { maxListedConnections, Roster } from "../../../core/watch/roster.ts";

Deno.test("the counts of workers are added up, and outlive them", () => {
  const sharedCounts = makeSharedCounts(2);
  const [one, two] = [new Metrics(0, sharedCounts), new Metrics(1, sharedCounts)];
  for (const metrics of [one, two]) {
    metrics.count("starts");
    metrics.opened("native");
    metrics.addBytes("native", "received", 100);
    metrics.addRequest("native", "put", "ok", 0.002);
    metrics.addBusy("native", 1);
  }
  two.addRequest("native", "put", "over-quota", 0.3);
  two.refused("http");
  two.count("loginsFailed");
  const before = one.snapshot();
  assert.deepEqual(before, two.snapshot());
  assert.equal(before.restarts, 0);
  const moved = { received: 200, sent: 0 };
  const native = { door: "native", open: 2, busy: 2, opened: 2, refused: 0, ...moved };
  assert.deepEqual(before.doors[0], native);
  assert.equal(before.doors[1].refused, 1);
  const [put] = before.requests;
  assert.deepEqual(put.outcomes, { ok: 2, "over-quota": 1 });
  assert.equal(put.count, 3);
  assert.equal(put.buckets[latencyBoundsSeconds.indexOf(0.0025)], 2);
  assert.equal(put.buckets[latencyBoundsSeconds.indexOf(0.5)], 1);
  assert.ok(Math.abs(put.seconds - 0.304) < 1e-9);

  // The worker dies with an open connection that has a request under way, and a successor starts.
  const next = new Metrics(1, sharedCounts);
  next.count("starts");
  const after = next.snapshot();
  assert.deepEqual(after, { ...before, restarts: 1, doors: after.doors });
  assert.deepEqual(after.doors[0], { ...native, open: 1, busy: 1 });
});

Deno.test("gauges are seen by all workers, and absent until they are set", () => {
  const sharedCounts = makeSharedCounts(2);
  const [one, two] = [new Metrics(0, sharedCounts), new Metrics(1, sharedCounts)];
  assert.deepEqual(two.gauges(), {});
  const before = two.snapshot();
  one.setGauge("diskSize", 100);
  one.setGauge("diskAvailable", 0);
  assert.deepEqual(two.gauges(), { diskSize: 100, diskAvailable: 0 });
  assert.deepEqual(two.snapshot(), before);
  one.setGauge("diskSize", undefined);
  assert.deepEqual(two.gauges(), { diskAvailable: 0 });
});

Deno.test("requests with any labels are counted in existing cells", () => {
  const metrics = new Metrics();
  for (const verb of [null, "", "dance", "__proto__", "constructor", "x".repeat(9999)]) {
    metrics.addRequest("native", verb, "unsupported", 0);
  }
  const { requests } = metrics.snapshot();
  assert.deepEqual(
    requests.map(({ verb, count, outcomes }) => [verb, count, outcomes]),
    [["other", 6, { unsupported: 6 }]],
  );
});

Deno.test("every duration has its bucket", () => {
  const metrics = new Metrics();
  for (const bound of [...latencyBoundsSeconds, 1e9]) {
    metrics.addRequest("sftp", "get", "ok", bound);
  }
  metrics.addRequest("sftp", "get", "ok", 0);
  assert.deepEqual(metrics.snapshot().requests[0].buckets, [
    2,
    ...latencyBoundsSeconds.map(() => 1),
  ]);
});

Deno.test("quantile interpolates within a bucket", () => {
  const counts = (...pairs: [number, number][]) => {
    const buckets = [...latencyBoundsSeconds, Infinity].map(() => 0);
    for (const [bound, n] of pairs) buckets[latencyBoundsSeconds.indexOf(bound)] = n;
    return buckets;
  };
  assert.equal(quantile(counts(), 0.5), 0);
  assert.equal(quantile(counts([0.001, 50], [0.01, 50]), 0.5), 0.001);
  assert.equal(quantile(counts([0.001, 1], [10, 1]), 1), 10);
  const beyond = counts([0.001, 1]);
  beyond[beyond.length - 1] = 99;
  assert.equal(quantile(beyond, 0.99), latencyBoundsSeconds.at(-1));
});

Deno.test("a connection counts as busy while it has a request, and not after it has left", () => {
  const metrics = new Metrics();
  const roster = new Roster(metrics);
  const busy = () => metrics.snapshot().doors[0].busy;
  const connection = roster.enter("native", "192.0.2.1:5");
  const request = { verb: "get", path: "/home/f", bytes: 0 };
  assert.equal(busy(), 0);
  connection.doing = request;
  connection.doing = { ...request, bytes: 5 };
  assert.equal(busy(), 1);
  connection.doing = null;
  assert.equal(busy(), 0);
  connection.doing = request;
  connection.leave();
  connection.doing = null;
  connection.doing = request;
  assert.equal(busy(), 0);
});

Deno.test("connections with a request come first, and the list is bounded", async () => {
  const metrics = new Metrics();
  const roster = new Roster(metrics);
  const all = Array.from({ length: 2000 }, (_, i) => roster.enter("native", `192.0.2.1:${i}`));
  all[1500].doing = { verb: "put", path: `/home/${"x".repeat(5000)}`, bytes: 7 };
  roster.others = () => Promise.resolve([{ ...roster.here()[0], account: "anna", bytes: 9 }]);
  const told = await roster.everywhere();
  assert.equal(told.length, maxListedConnections);
  assert.deepEqual(told.slice(0, 3).map(({ verb, bytes }) => [verb, bytes]), [
    ["put", 7],
    ["put", 9],
    [null, 0],
  ]);
  assert.equal(told[0].path?.length, 300);
  assert.equal(metrics.snapshot().doors[0].open, 2000);
  for (const presence of all) presence.leave();
  all[0].leave();
  assert.deepEqual(roster.here(), []);
  assert.equal(metrics.snapshot().doors[0].open, 0);
});
