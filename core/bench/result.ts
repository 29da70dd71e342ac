/**
 * The result of a load, as `--json` prints it and `--compare` reads it. The fields are described in
 * fixtures/bench-result.schema.json (JSON Schema 2020-12).
 */
import * as v from "valibot";
import { BargeError, typed } from "../error.ts";
import type { Latencies } from "./histogram.ts";

const number = v.pipe(v.number(), v.finite(), v.minValue(0));

/** The latency figures of a result, in the order of reports. */
export const latencyNames = [
  "min",
  "mean",
  "p50",
  "p75",
  "p90",
  "p99",
  "p99.9",
  "p99.99",
  "max",
] as const;

export const resultSchema = v.object({
  schema: v.literal("barge-bench/1"),
  kind: v.picklist(["tcp", "udp", "http"]),
  target: v.string(),
  started: v.string(),
  machine: v.string(),
  connections: number,
  workers: number,
  size: v.nullable(number),
  rate: v.nullable(number),
  verified: v.boolean(),
  interrupted: v.boolean(),
  seconds: number,
  requests: number,
  errors: number,
  failures: v.record(v.string(), number),
  requestsPerSecond: number,
  bytesPerSecond: number,
  latency: v.object(v.entriesFromList(latencyNames, number)),
  fairness: number,
  generator: v.object({ busy: number, lag99: number, bound: v.boolean() }),
  histogram: v.array(v.object({ upTo: number, count: number })),
});

/** The result of one load. Times are in ms, but for `seconds`. */
export type Result = v.InferOutput<typeof resultSchema>;

/** Returns the latency figures of a result. */
export function latencyOf(latencies: Latencies): Result["latency"] {
  const ms = (name: typeof latencyNames[number]) =>
    name === "min" || name === "mean" || name === "max"
      ? latencies[name]
      : latencies.percentile(Number(name.slice(1)));
  const rounded = latencyNames.map((name) => [name, Math.round(ms(name) * 1000) / 1000]);
  return Object.fromEntries(rounded);
}

/**
 * Reads a result from a file.
 *
 * @throws {BargeError} `usage` when the file holds no result; the system's errors
 */
export async function readResult(path: string): Promise<Result> {
  const op = "compare with";
  let text;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    throw typed(cause, { op, path });
  }
  try {
    return v.parse(resultSchema, JSON.parse(text));
  } catch (cause) {
    const { message } = cause as Error;
    throw new BargeError("usage", `it is no result of \`barge bench\`: ${message}`, {
      op,
      path,
      cause,
      hint: "`barge bench tcp --json > FILE` makes one",
    });
  }
}
