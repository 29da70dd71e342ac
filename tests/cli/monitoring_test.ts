/**
 * docs/monitoring: the queries of the dashboard and of the alert rules, on what a running server and a
 * node show. promtool (Debian's package prometheus) parses and evaluates them where it is installed.
 */
import assert from "node:assert/strict";
import { statfsSync } from "node:fs";
import { finish, ROOT } from "../../scripts/run.ts";
import { hasEngines } from "../contract/store/_shared.ts";
import { until } from "../_observe.ts";
import { type Server, startServer } from "../_server.ts";
import { pairFor } from "../core/net/_tls.ts";
import { Home } from "./_barge.ts";
import { Nodes } from "./_nodes.ts";
import { type Sample, samplesOf, substitute, unknownNames } from "./_promql.ts";
import { has } from "./_sftp.ts";

const folder = `${ROOT}/docs/monitoring`;
const rules = await Deno.readTextFile(`${folder}/alerts.yml`);
const dashboard: Dashboard = JSON.parse(await Deno.readTextFile(`${folder}/dashboard.json`));

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly type: string; query: unknown }[] };
}
/** The kinds of storage whose servers have data for a query. */
type Storage = "disk" | "cluster";
interface Query {
  readonly title: string;
  readonly expr: string;
  readonly on: readonly Storage[];
}

/** The queries of all panels. The row of a panel names the storage if the panel is for one only. */
const panelQueries: Query[] = [];
let on: readonly Storage[] = [];
for (const { type, title, targets = [] } of dashboard.panels) {
  if (type === "row") {
    on = title.startsWith("Disk")
      ? ["disk"]
      : title.startsWith("Cluster")
      ? ["cluster"]
      : ["disk", "cluster"];
  }
  for (const { expr } of targets) panelQueries.push({ title, expr: substitute(expr), on });
}
const alerts = Array.from(
  rules.matchAll(/- alert: (\w+)\n +expr: (.+)\n/g),
  ([, title, expr]): Query => ({ title, expr, on: ["disk", "cluster"] }),
);
const queries = [...panelQueries, ...alerts];

/** Returns the samples of /metrics. @param ca the certificate of a server whose listener has TLS */
async function scrape({ metrics }: Server["facts"], ca?: string): Promise<Sample[]> {
  using client = Deno.createHttpClient({ caCerts: ca === undefined ? [] : [ca] });
  const scheme = ca === undefined ? "http" : "https";
  const response = await fetch(`${scheme}://${metrics}/metrics`, { client });
  return samplesOf(await response.text());
}

/** Makes each kind of sample: an upload and a download, logins, a refusal. */
async function use({ facts }: Server, token: string): Promise<Sample[]> {
  const bearer = { authorization: `Bearer ${token}` };
  const file = `http://${facts.http}/api/v1/files/home/f`;
  const ask = async (url: string, init: RequestInit) => {
    const response = await fetch(url, init);
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await ask(file, { method: "PUT", headers: bearer, body: "12345" }), 201);
  assert.equal(await ask(file, { headers: bearer }), 200);
  assert.equal(await ask(`${file}-none`, { headers: bearer }), 404);
  const wrong = { authorization: `Basic ${btoa("anna:a wrong password")}` };
  assert.equal(await ask(file, { headers: wrong }), 401);
  return await until<Sample[] | undefined>(async () => {
    const samples = await scrape(facts);
    // A request is counted after its answer.
    const isCounted = samples.some(({ labels }) => labels.outcome === "unauthenticated");
    return isCounted ? samples : undefined;
  });
}

/** Opens HTTP, and FTPS for its certificate. */
const args = ["--http", "127.0.0.1:0", "--ftps", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];

async function samplesOfServer(): Promise<Sample[]> {
  await using server = await startServer({ args });
  await server.addUser("anna");
  return await use(server, await server.issueToken("anna"));
}

async function samplesOfNode(): Promise<Sample[]> {
  await using nodes = await Nodes.make();
  const token = await nodes.addUser("anna");
  return await use(await nodes.start({ args: [...args, "--node-name", "a"] }), token);
}

/** Fails for a name in the queries that the samples do not have, unless only the other storage has it. */
function assertKnown(
  samples: readonly Sample[],
  storage: Storage,
  isOfOther: (metric: string) => boolean,
): void {
  const unknown = queries.filter(({ on }) => on.includes(storage)).flatMap(({ title, expr }) =>
    unknownNames(expr, samples).filter((name) => !isOfOther(name))
      .map((name) => `${title}: ${name}`)
  );
  assert.deepEqual(unknown, []);
}

/**
 * Evaluates the queries of panels with promtool over samples that grow, as counters do, for an hour.
 * Each query must have a result.
 */
async function assertResults(samples: readonly Sample[], storage: Storage): Promise<void> {
  const series = samples.map(({ name, labels, value }) => {
    const pairs = Object.entries({ ...labels, job: "barge", instance: "a:9171" })
      .map(([label, text]) => `${label}="${text}"`);
    const step = /_(?:total|bucket|sum|count)$/.test(name) ? 1 : 0;
    return { series: `${name}{${pairs.join(", ")}}`, values: `${value}+${step}x60` };
  });
  const evaluated = panelQueries.filter(({ on }) => on.includes(storage));
  assert.ok(evaluated.length > 20);
  const tests = [{
    interval: "1m",
    input_series: series,
    promql_expr_test: evaluated.map(({ expr }) => ({
      expr: `count(${expr}) > bool 0`,
      eval_time: "60m",
      exp_samples: [{ labels: "{}", value: 1 }],
    })),
  }];
  const file = await Deno.makeTempFile({ suffix: ".yml" });
  try {
    await Deno.writeTextFile(file, JSON.stringify({ evaluation_interval: "1m", tests }));
    await promtool("test", "rules", file);
  } finally {
    await Deno.remove(file);
  }
}

async function promtool(...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await finish("promtool", args);
  assert.equal(code, 0, stdout + stderr);
}

/** Declares a test that needs promtool. */
function testByPromtool(name: string, fn: () => Promise<void>, ignore = false): void {
  const lacks = !has("promtool");
  Deno.test({
    name: lacks ? `${name} (skipped: there is no promtool)` : name,
    ignore: lacks || ignore,
    fn,
  });
}

Deno.test("a name that /metrics lacks is found in a query", () => {
  const samples = samplesOf('# HELP\nbarge_a{door="http"} 1\nbarge_b 2e-7\n');
  const unknown = (query: string) => unknownNames(query, samples);
  assert.deepEqual(unknown('sum by (door) (rate(barge_a{job="barge", door="http"}[5m])) > 0'), []);
  assert.deepEqual(unknown('barge_a{door=~"http|ftp"}'), ['barge_a{door="ftp"}']);
  assert.deepEqual(unknown("barge_a / barge_c"), ["barge_c"]);
  assert.deepEqual(unknown("sum by (verb) (barge_a)"), ["verb"]);
  assert.deepEqual(unknown('barge_b{kind="io"}'), ['barge_b{kind="io"}']);
  assert.deepEqual(unknown("increas(barge_b[5m])"), ["increas"]);
});

Deno.test("the dashboard, the alerts and docs/monitoring.md name what one machine shows", async () => {
  assert.ok(panelQueries.length > 30 && alerts.length > 15);
  assert.equal(alerts.length, rules.match(/- alert:/g)?.length, "a rule was not read");
  const ofNode = (metric: string) => /^barge_(cluster|node)_/.test(metric);
  const samples = await samplesOfServer();
  assertKnown(samples, "disk", ofNode);
  const page = await Deno.readTextFile(`${ROOT}/docs/monitoring.md`);
  const named = new Set(page.match(/`\w+`/g));
  const names = samples.map(({ name }) => name.replace(/_(bucket|sum|count)$/, ""));
  const missing = [...names, ...alerts.map(({ title }) => title)]
    .filter((name) => !named.has(`\`${name}\``));
  assert.deepEqual(missing, [], "docs/monitoring.md");
});

Deno.test({
  name: "the dashboard and the alerts read what a node shows",
  ignore: !hasEngines,
  async fn() {
    const samples = await samplesOfNode();
    const names = new Set(samples.map(({ name }) => name));
    const ofMachine = (metric: string) =>
      metric.startsWith("barge_disk_") || names.has(metric.replace(/^barge_/, "barge_cluster_"));
    assertKnown(samples, "cluster", ofMachine);
  },
});

Deno.test("the metrics show the disk, and the end of the certificate also after a reload", async () => {
  await using home = new Home();
  const [cert, key] = [`${home.path}/box.pem`, `${home.path}/box.key`];
  const install = async (end: Date) => {
    const pair = await pairFor(["127.0.0.1"], { from: new Date(), until: end });
    await Deno.writeTextFile(cert, pair.cert);
    await Deno.writeTextFile(key, pair.key);
  };
  // A certificate has whole seconds.
  const [first, second] = [1, 2].map((days) => Math.floor(Date.now() / 1000) + days * 86400);
  await install(new Date(first * 1000));
  const files = ["--tls-cert", cert, "--tls-key", key];
  await using server = await startServer({ args: [...args, ...files] });
  const value = async (metric: string) =>
    (await scrape(server.facts, await Deno.readTextFile(cert))).find(({ name }) =>
      name === `barge_${metric}`
    )?.value;
  const end = "certificate_expiry_timestamp_seconds";
  assert.equal(await value(end), first);
  await install(new Date(second * 1000));
  server.signal("SIGHUP");
  await server.said("the certificate was reloaded");
  assert.equal(await value(end), second);
  const { blocks, bsize } = statfsSync(server.data);
  assert.equal(await value("disk_size_bytes"), blocks * bsize);
  const available = (await value("disk_available_bytes"))!;
  assert.ok(available > 0 && available <= blocks * bsize);
});

Deno.test("the variables of the dashboard read metrics that exist", () => {
  const { list } = dashboard.templating;
  const metrics = list.filter(({ type }) => type === "query")
    .map(({ query }) => /label_values\((\w+)/.exec(JSON.stringify(query))?.[1]);
  assert.deepEqual(metrics, ["barge_build_info", "barge_build_info"]);
});

Deno.test("each alert has an example at which it is silent, and one at which it fires", async () => {
  const examples = await Deno.readTextFile(`${folder}/alerts_test.yml`);
  for (const { title } of alerts) {
    const of = examples.split("- alertname: ").filter((text) => text.startsWith(`${title}\n`));
    const fires = of.map((text) => !text.includes("exp_alerts: []"));
    assert.deepEqual(fires, [false, true], title);
  }
});

testByPromtool("promtool accepts the alerts, and they fire at their examples", async () => {
  await promtool("check", "rules", `${folder}/alerts.yml`);
  await promtool("test", "rules", `${folder}/alerts_test.yml`);
});

testByPromtool("each panel has a result from what one machine shows", async () => {
  await assertResults(await samplesOfServer(), "disk");
});

testByPromtool("each panel has a result from what a node shows", async () => {
  await assertResults(await samplesOfNode(), "cluster");
}, !hasEngines);
