/** The text that Prometheus reads, read as strictly as its format is written down. */
import assert from "node:assert/strict";
import { prometheus } from "../../../core/door/prometheus.ts";
import { latencyBoundsSeconds, Metrics } from "../../../core/watch/metrics.ts";
import { Roster } from "../../../core/watch/roster.ts";
import type { Snapshot } from "../../../core/session/status.ts";

interface Family {
  readonly type: string;
  readonly samples: { name: string; labels: Record<string, string>; value: number }[];
}

/** Text exposition format 0.0.4; fails for what is not in it. */
function parse(text: string): Map<string, Family> {
  assert.ok(text.endsWith("\n"));
  const families = new Map<string, Family>();
  let current = "";
  const seen = new Set<string>();
  const lines = text.split("\n").slice(0, -1);
  for (const [i, line] of lines.entries()) {
    const help = /^# HELP ([a-z_]+) ([^\n]+)$/.exec(line);
    if (help) {
      assert.ok(!families.has(help[1]), `${help[1]} comes twice`);
      const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(lines[i + 1] ?? "");
      assert.equal(type?.[1], help[1], line);
      current = help[1];
      families.set(current, { type: type![2], samples: [] });
      continue;
    }
    if (line.startsWith("# TYPE ")) continue;
    const sample = /^([a-z_]+)(?:\{(.*)\})? (\+Inf|\d+(?:\.\d+)?(?:e-?\d+)?)$/.exec(line);
    assert.ok(sample, `no sample: ${line}`);
    const [, name, pairs = "", value] = sample;
    const family = families.get(current)!;
    const suffix = name.slice(current.length);
    const suffixes = family.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    assert.ok(name.startsWith(current) && suffixes.includes(suffix), `${name} in ${current}`);
    assert.equal(family.type === "counter", current.endsWith("_total"), current);
    const labels: Record<string, string> = {};
    const rest = pairs.replace(/([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/g, (_, label, text) => {
      assert.ok(!Object.hasOwn(labels, label));
      labels[label] = text.replace(
        /\\(.)/g,
        (_: string, c: string) => c === "n" ? "\n" : c,
      );
      return "";
    });
    assert.equal(rest, "", `no labels: ${line}`);
    const key = name + JSON.stringify(labels);
    assert.ok(!seen.has(key), `${key} comes twice`);
    seen.add(key);
    family.samples.push({ name, labels, value: value === "+Inf" ? Infinity : Number(value) });
  }
  return families;
}

function snapshot(metrics: Metrics, version = "1.2.3"): Snapshot {
  return {
    ...metrics.snapshot(),
    ...{ version, now: 0, memory: 5e7, banned: 1, nearQuota: 1, gauges: metrics.gauges() },
    accounts: { count: 2, used: 1e15, reserved: 3 },
    uploads: { unfinished: 4, moving: 1, staged: 77 },
  };
}

Deno.test("what was counted is what is read", () => {
  const metrics = new Metrics();
  const roster = new Roster(metrics);
  roster.enter("native", "127.0.0.1:1");
  metrics.addBytes("native", "sent", 1234);
  metrics.refused("native");
  for (const seconds of [0.0001, 0.0005, 0.02, 1000]) {
    metrics.addRequest("native", "get", "ok", seconds);
  }
  metrics.addRequest("native", "get", "not-found", 0.02);
  metrics.count("loginsOk", 3);
  metrics.setGauge("certificateEnd", 1_500_000);
  metrics.setGauge("diskAvailable", 0);
  const families = parse(prometheus(snapshot(metrics)));
  const value = (name: string, labels: Record<string, string> = {}) =>
    [...families.values()].flatMap(({ samples }) => samples)
      .find((s) => s.name === name && JSON.stringify(s.labels) === JSON.stringify(labels))?.value;
  const native = { door: "native" };
  assert.equal(value("barge_connections", native), 1);
  assert.equal(value("barge_connections_refused_total", native), 1);
  assert.equal(value("barge_sent_bytes_total", native), 1234);
  assert.equal(value("barge_requests_total", { ...native, verb: "get", outcome: "ok" }), 4);
  assert.equal(value("barge_requests_total", { ...native, verb: "get", outcome: "not-found" }), 1);
  assert.equal(value("barge_errors_total", { kind: "not-found" }), 1);
  assert.equal(value("barge_errors_total", { kind: "io" }), 0, "shown before the first error");
  assert.equal(value("barge_certificate_expiry_timestamp_seconds"), 1500);
  assert.equal(value("barge_disk_available_bytes"), 0);
  assert.equal(families.has("barge_disk_size_bytes"), false);
  assert.equal(value("barge_accounts_near_quota"), 1);
  assert.equal(value("barge_logins_total", { outcome: "ok" }), 3);
  assert.equal(value("barge_used_bytes"), 1e15);
  assert.equal(value("barge_staged_bytes"), 77);
  assert.equal(value("barge_build_info", { version: "1.2.3" }), 1);

  const { type, samples } = families.get("barge_request_duration_seconds")!;
  assert.equal(type, "histogram");
  const buckets = samples.filter(({ name }) => name.endsWith("_bucket"));
  assert.deepEqual(buckets.map(({ labels }) => labels.le), [
    ...latencyBoundsSeconds.map(String),
    "+Inf",
  ]);
  buckets.reduce((last, { value }) => (assert.ok(value >= last), value), 0);
  const at = (le: string) => buckets.find(({ labels }) => labels.le === le)?.value;
  assert.deepEqual([at("0.0005"), at("0.025"), at("300"), at("+Inf")], [2, 4, 4, 5]);
  assert.equal(samples.at(-1)?.value, 5);
});

Deno.test("a node shows the number of nodes in each state", () => {
  const nodeCounts = { running: 2, "no-bucket": 0, stopping: 0, gone: 1 };
  const node = { id: "1", name: "a" };
  const families = parse(prometheus({ ...snapshot(new Metrics()), node, nodeCounts }));
  const { samples } = families.get("barge_cluster_nodes")!;
  assert.deepEqual(Object.fromEntries(samples.map((s) => [s.labels.state, s.value])), nodeCounts);
  assert.ok(families.has("barge_cluster_accounts_near_quota"));
});

Deno.test("label values are escaped, and nothing asked is a text, too", () => {
  const odd = 'a"b\\c\nd';
  const families = parse(prometheus(snapshot(new Metrics(), odd)));
  assert.equal(families.get("barge_build_info")!.samples[0].labels.version, odd);
  assert.deepEqual(families.get("barge_request_duration_seconds")!.samples, []);
});
