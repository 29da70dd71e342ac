/**
 * The result of a load, as `--json` prints it and `--compare` reads it. The fields are described in
 * fixtures/bench-result.schema.json (JSON Schema 2020-12).
 */
import * as v from "valibot";
import { BargeError, typed } from "../error.ts";
import type { Latencies } from "./histogram.ts";

const number = v.pipe(v.number(), v.finite(), v.minValue(0));

const latency = v.object({
  min: number,
  mean: number,
  p50: number,
  p75: number,
  p90: number,
  p99: number,
  "p99.9": number,
  "p99.99": number,
  max: number,
});

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
  latency,
  fairness: number,
  generator: v.object({ busy: number, lag99: number, bound: v.boolean() }),
  histogram: v.array(v.object({ upTo: number, count: number })),
});

/** The result of one load. Times are in ms, but for `seconds`. */
export type Result = v.InferOutput<typeof resultSchema>;

/** Returns the latency figures of a result. */
export function latencyOf(latencies: Latencies): Result["latency"] {
  const round = (ms: number) => Math.round(ms * 1000) / 1000;
  const p = (percent: number) => round(latencies.percentile(percent));
  return {
    min: round(latencies.min),
    mean: round(latencies.mean),
    p50: p(50),
    p75: p(75),
    p90: p(90),
    p99: p(99),
    "p99.9": p(99.9),
    "p99.99": p(99.99),
    max: round(latencies.max),
  };
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
