/** A result as text, as CSV, and compared with another. */
import { counted } from "../counted.ts";
import { barOf } from "./bar.ts";
import { latencyNames, type Result } from "./result.ts";

/**
 * Formats milliseconds with three digits and a unit.
 *
 * @example
 * ```ts
 * import { formatMs } from "./report.ts";
 * if (formatMs(0.0421) !== "42.1 µs" || formatMs(7.5) !== "7.50 ms") throw new Error(formatMs(7.5));
 * if (formatMs(12_340) !== "12.3 s") throw new Error();
 * ```
 */
export function formatMs(ms: number): string {
  const [value, unit] = ms < 1 ? [ms * 1000, "µs"] : ms < 1000 ? [ms, "ms"] : [ms / 1000, "s"];
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${unit}`;
}

/** Returns the whole result in lines, the histogram last. @param width columns of the terminal */
export function lines(result: Result, width = 80): string[] {
  const { requests, seconds, latency, generator, failures } = result;
  const rate = Math.round(result.requestsPerSecond).toLocaleString("en-US");
  const megabytes = (result.bytesPerSecond / 1e6).toFixed(1);
  const paced = result.rate === null ? "" : `, at ${result.rate} requests a second`;
  const report = [
    `${result.kind} ${result.target}: ${counted(result.connections, "connection")}${paced}`,
    `  ${requests.toLocaleString("en-US")} answers in ${seconds.toFixed(1)} s: ` +
    `${rate} a second, ${megabytes} MB/s` + (result.verified ? ", each verified" : ""),
    `  latency   ${latencyNames.map((name) => `${name} ${formatMs(latency[name])}`).join("  ")}`,
    `  fairness  ${result.fairness.toFixed(2)} (the worst-served connection over the mean)`,
    `  generator ${Math.round(generator.busy * 100)}% of ${
      result.workers === 1 ? "a core" : `${result.workers} cores`
    }` + (result.rate === null ? "" : `, sent late by p99 ${formatMs(generator.lag99)}`),
  ];
  if (result.errors > 0) {
    const kinds = Object.entries(failures).map(([kind, n]) => `${n} ${kind}`);
    report.push(`  errors    ${result.errors}: ${kinds.join(", ")}`);
  }
  if (generator.bound) {
    report.push(
      "  ! the generator was the limit: this measures it, not the server (try --workers)",
    );
  }
  if (result.interrupted) report.push("  ! interrupted: the figures end there");
  return [...report, ...draw(result.histogram, width), `  ${result.machine}`];
}

/** Draws a bar for each class of latencies, whose length is its share. */
export function draw(histogram: Result["histogram"], width: number): string[] {
  const total = histogram.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return [];
  const largest = Math.max(...histogram.map(({ count }) => count));
  const labels = histogram.map(({ upTo }) => `<= ${formatMs(upTo)}`);
  const left = Math.max(...labels.map(({ length }) => length));
  const room = Math.max(10, width - left - 14);
  return histogram.map(({ count }, i) => {
    const bar = barOf(count / largest * room);
    const percent = (count / total * 100).toFixed(2);
    const share = (count > 0 && percent === "0.00" ? "<0.01" : percent).padStart(6);
    return `  ${labels[i].padStart(left)} ${share}% ${bar}`.trimEnd();
  });
}

/** Returns a heading and a row of comma-separated values. */
export function csv(result: Result): string {
  const fields: Record<string, string | number | boolean | null> = {
    kind: result.kind,
    target: result.target,
    started: result.started,
    connections: result.connections,
    workers: result.workers,
    size: result.size,
    rate: result.rate,
    seconds: result.seconds,
    requests: result.requests,
    errors: result.errors,
    requestsPerSecond: result.requestsPerSecond,
    bytesPerSecond: result.bytesPerSecond,
    ...Object.fromEntries(latencyNames.map((name) => [`${name}_ms`, result.latency[name]])),
    fairness: result.fairness,
    busy: result.generator.busy,
    bound: result.generator.bound,
  };
  const cell = (value: unknown) => {
    const text = String(value ?? "");
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return `${Object.keys(fields).join(",")}\n${Object.values(fields).map(cell).join(",")}`;
}

/** Compares two results. @returns for each figure its name, both values, and their ratio */
export function comparison(now: Result, before: Result): string[][] {
  const row = (name: string, of: (result: Result) => number, show: (n: number) => string) => {
    const [a, b] = [of(before), of(now)];
    return [name, show(a), show(b), a === 0 ? "-" : `${(b / a).toFixed(2)}x`];
  };
  const whole = (n: number) => Math.round(n).toLocaleString("en-US");
  return [
    row("answers/s", (r) => r.requestsPerSecond, whole),
    row("bytes/s", (r) => r.bytesPerSecond, whole),
    ...latencyNames.map((name) => row(name, ({ latency }) => latency[name], formatMs)),
    row("errors", (r) => r.errors, whole),
    row("fairness", (r) => r.fairness, (n) => n.toFixed(2)),
  ];
}
