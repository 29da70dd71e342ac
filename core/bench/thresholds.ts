/** Conditions under which a result is a failure: `p99>5ms`, `errors>0`, `requests/s<1000`. */
import { latencyNames, type Result } from "./result.ts";

/** The figures that a condition can name. Times are in ms. */
const figures: Readonly<Record<string, (result: Result) => number>> = {
  ...Object.fromEntries(
    latencyNames.map((name) => [name, ({ latency }: Result) => latency[name]]),
  ),
  errors: ({ errors }) => errors,
  requests: ({ requests }) => requests,
  "requests/s": ({ requestsPerSecond }) => requestsPerSecond,
  "bytes/s": ({ bytesPerSecond }) => bytesPerSecond,
  fairness: ({ fairness }) => fairness,
  busy: ({ generator }) => generator.busy,
};

const times: ReadonlySet<string> = new Set(latencyNames);
const units: Record<string, number> = { us: 0.001, µs: 0.001, ms: 1, s: 1000 };
const compare: Record<string, (a: number, b: number) => boolean> = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
};

export interface Threshold {
  /** The condition as the user wrote it. */
  readonly text: string;
  readonly holds: (result: Result) => boolean;
  /** Returns the figure, for messages. */
  readonly value: (result: Result) => number;
}

export const figureNames: readonly string[] = Object.keys(figures);

/**
 * Parses a condition.
 *
 * @returns undefined when the text is not a condition
 *
 * @example
 * ```ts
 * import { parseThreshold } from "./thresholds.ts";
 * if (parseThreshold("p99>5ms") === undefined) throw new Error();
 * if (parseThreshold("errors > 0") === undefined) throw new Error();
 * if (parseThreshold("errors>5ms") !== undefined) throw new Error("errors is a number, not a time");
 * if (parseThreshold("p99>5") !== undefined) throw new Error("a time needs a unit");
 * ```
 */
export function parseThreshold(text: string): Threshold | undefined {
  const match = /^\s*([a-z0-9./]+)\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)\s*(us|µs|ms|s|%)?\s*$/.exec(
    text,
  );
  if (!match) return undefined;
  const [, name, operator, digits, unit] = match;
  if (!Object.hasOwn(figures, name)) return undefined;
  if (times.has(name) !== (unit !== undefined && unit !== "%")) return undefined;
  if (unit === "%" && name !== "busy" && name !== "fairness") return undefined;
  const limit = Number(digits) * (unit === "%" ? 0.01 : units[unit ?? "ms"]);
  const value = figures[name]!;
  return { text: text.trim(), value, holds: (result) => compare[operator](value(result), limit) };
}
