/**
 * The queries of docs/monitoring, compared with what a server shows. promtool (Debian's package
 * prometheus) parses and evaluates them where it is installed.
 */
import assert from "node:assert/strict";
import { finish, ROOT } from "../../scripts/run.ts";
import { until } from "../_observe.ts";
import type { Server } from "../_server.ts";
import { type Sample, samplesOf, substitute, unknownNames } from "./_promql.ts";
import { has } from "./_sftp.ts";

/** The folder of the dashboard and the rules. */
export const folder = `${ROOT}/docs/monitoring`;
export const rules = await Deno.readTextFile(`${folder}/alerts.yml`);
export const dashboard: Dashboard = JSON.parse(await Deno.readTextFile(`${folder}/dashboard.json`));

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
export const panelQueries: Query[] = [];
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
export const alerts = Array.from(
  rules.matchAll(/- alert: (\w+)\n +expr: (.+)\n/g),
  ([, title, expr]): Query => ({ title, expr, on: ["disk", "cluster"] }),
);
const queries = [...panelQueries, ...alerts];

/** Returns the samples of /metrics. @param ca the certificate of a server whose listener has TLS */
export async function scrape({ metrics }: Server["facts"], ca?: string): Promise<Sample[]> {
  using client = Deno.createHttpClient({ caCerts: ca === undefined ? [] : [ca] });
  const scheme = ca === undefined ? "http" : "https";
  const response = await fetch(`${scheme}://${metrics}/metrics`, { client });
  return samplesOf(await response.text());
}

/**
 * Makes each kind of sample, by an upload, a download and logins of anna.
 *
 * @returns the samples of /metrics afterwards
 */
export async function samplesAfterUse({ facts }: Server, token: string): Promise<Sample[]> {
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
    const waits = samples.some(({ name }) => name === "barge_events_oldest_timestamp_seconds");
    return isCounted && waits ? samples : undefined;
  });
}

/**
 * Options of `serve` that open HTTP, FTPS for its certificate, and the listener for the metrics, and verify files.
 * No event is delivered, so that one waits.
 */
export const args = [
  ...["--http", "127.0.0.1:0", "--ftps", "127.0.0.1:0", "--metrics", "127.0.0.1:0"],
  ...["--on-commit", "false"],
  ...["--verify-every", "1d"],
];

/** The variable of a collector that is never there: the server makes traces, and counts the spans that it drops. */
export const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" };

/** Fails for a name in the queries that the samples do not have, unless only the other storage has it. */
export function assertKnown(
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
export async function assertResults(samples: readonly Sample[], storage: Storage): Promise<void> {
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

export async function promtool(...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await finish("promtool", args);
  assert.equal(code, 0, stdout + stderr);
}

/** Declares a test that needs promtool; where it is missing, the name says so. */
export function testByPromtool(name: string, fn: () => Promise<void>, ignore = false): void {
  const lacks = !has("promtool");
  Deno.test({
    name: lacks ? `${name} (skipped: there is no promtool)` : name,
    ignore: lacks || ignore,
    fn,
  });
}
