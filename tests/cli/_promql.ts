/**
 * Reads the names of metrics and labels out of PromQL, and the samples of /metrics. It does not parse
 * PromQL: promtool does where it is installed.
 */

/** A metric that a query reads, with the conditions on its labels. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

/** A line of /metrics. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Labels that Prometheus adds to each sample. */
const addedLabels = ["job", "instance"];
/** Functions and operators that the queries may use. Each other word is a metric. */
const words = new Set(
  "sum max min count rate increase histogram_quantile predict_linear time or bool".split(" "),
);
const selector = /([a-z_:]+)\s*(?:\{((?:"[^"]*"|[^"}])*)\})?/g;
const grouping = /\b(?:by|on|group_left)\s*\(([^)]*)\)/g;

/** Puts values for the variables of Grafana into a query. */
export function substitute(query: string): string {
  return query
    .replaceAll("$__rate_interval", "5m")
    .replaceAll("$job", "barge")
    .replaceAll("$instance", ".*");
}

/** Returns the metrics that a query reads. */
export function selectorsOf(query: string): Selector[] {
  const plain = query.replace(grouping, "").replace(/\[[^\]]*\]/g, "");
  return Array.from(plain.matchAll(selector), ([, metric, conditions = ""]) => {
    const pairs = conditions.matchAll(/([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g);
    const matchers = Array.from(
      pairs,
      ([, label, operator, value]) => ({ label, operator, value }),
    );
    return { metric, matchers };
  }).filter(({ metric }) => !words.has(metric));
}

/** Returns the labels by which a query groups and joins. */
export function groupLabelsOf(query: string): string[] {
  return Array.from(query.matchAll(grouping), ([, labels]) => labels.split(","))
    .flat().map((label) => label.trim());
}

/** Returns the samples of /metrics. */
export function samplesOf(text: string): Sample[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
    const [, name, pairs = "", value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)!;
    const labels = Array.from(
      pairs.matchAll(/(\w+)="([^"]*)"/g),
      ([, label, text]) => [label, text],
    );
    return { name, labels: Object.fromEntries(labels), value: Number(value) };
  });
}

/**
 * Returns the names in a query that the samples do not have: metrics, labels, and the values that a
 * condition names.
 */
export function unknownNames(query: string, samples: readonly Sample[]): string[] {
  const selectors = selectorsOf(query).filter(({ metric }) => metric !== "up");
  const read = samples.filter(({ name }) => selectors.some(({ metric }) => metric === name));
  const groups = groupLabelsOf(query).filter((label) =>
    !addedLabels.includes(label) && !read.some(({ labels }) => Object.hasOwn(labels, label))
  );
  return [...selectors.flatMap((selector) => unknownOf(selector, read)), ...groups];
}

function unknownOf({ metric, matchers }: Selector, samples: readonly Sample[]): string[] {
  const own = samples.filter(({ name }) => name === metric);
  if (own.length === 0) return [metric];
  return matchers.filter(({ label }) => !addedLabels.includes(label)).flatMap((matcher) => {
    const { label, operator, value } = matcher;
    const values = operator.endsWith("~") ? value.split("|") : [value];
    return values.filter((value) => !own.some(({ labels }) => labels[label] === value))
      .map((value) => `${metric}{${label}="${value}"}`);
  });
}
