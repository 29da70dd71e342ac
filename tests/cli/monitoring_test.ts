/** The dashboard and the alert rules of docs/monitoring, on what one machine shows. */
import assert from "node:assert/strict";
import { statfsSync } from "node:fs";
import { ROOT } from "../../scripts/run.ts";
import { until } from "../_observe.ts";
import { startServer } from "../_server.ts";
import { pairFor } from "../core/net/_tls.ts";
import { Home } from "./_barge.ts";
import {
  alerts,
  args,
  assertKnown,
  assertResults,
  dashboard,
  env,
  folder,
  panelQueries,
  promtool,
  rules,
  samplesAfterUse,
  scrape,
  testByPromtool,
} from "./_monitoring.ts";
import { type Sample, samplesOf, unknownNames } from "./_promql.ts";

async function samplesOfServer(): Promise<Sample[]> {
  await using server = await startServer({ args, env });
  await server.addUser("anna");
  return await samplesAfterUse(server, await server.issueToken("anna"));
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
  // A worker shows the former certificate until it has read the message of the supervisor.
  await until(async () => await value(end).catch(() => undefined) === second);
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
