/**
 * A worker isolate of a load: runs an attack and posts its progress. load.ts starts it with the
 * permission for the network only.
 */
/// <reference lib="deno.worker" />
import { type BargeError, typed } from "../error.ts";
import { type Amount, Attack } from "./attack.ts";
import type { Open } from "./connection.ts";
import type { EncodedLatencies, Latencies } from "./histogram.ts";
import { httpConnections } from "./http_connection.ts";
import type { Metrics } from "./tally.ts";
import { type EchoTarget, tcpConnections } from "./tcp_connection.ts";
import { udpConnections } from "./udp_connection.ts";

/** The server under load, and the protocol. */
export type Target =
  | ({ readonly kind: "tcp" | "udp" } & EchoTarget)
  | { readonly kind: "http"; readonly url: string };

export type ToLoad =
  | {
    readonly type: "start";
    readonly target: Target;
    readonly options: Amount;
  }
  | { readonly type: "stop" };

/** Metrics as a worker posts them. */
export type PostedMetrics = {
  readonly [K in keyof Metrics]: Metrics[K] extends Latencies ? EncodedLatencies : Metrics[K];
};

/** The progress of one worker. */
export interface LoaderProgress extends Pick<Metrics, "answers" | "failures"> {
  readonly type: "progress";
  readonly p99: number;
  readonly max: number;
}

export type FromLoad =
  | { readonly type: "measuring" }
  | LoaderProgress
  | { readonly type: "done"; readonly metrics: PostedMetrics }
  | { readonly type: "failed" } & Pick<BargeError, "kind" | "message" | "hint">;

const scope = self as unknown as DedicatedWorkerGlobalScope;
const progressIntervalMs = 250;
const stop = new AbortController();

scope.onmessage = async ({ data: message }: MessageEvent<ToLoad>) => {
  if (message.type === "stop") return stop.abort();
  const attack = new Attack(opener(message.target), {
    ...message.options,
    signal: stop.signal,
    onMeasuring: () => post({ type: "measuring" }),
  });
  const timer = setInterval(() => {
    const { answers, failures, latencies } = attack.metrics;
    const { max } = latencies;
    post({ type: "progress", answers, failures, p99: latencies.percentile(99), max });
  }, progressIntervalMs);
  try {
    const { latencies, lag, ...rest } = await attack.run();
    const metrics = { ...rest, latencies: latencies.encode(), lag: lag.encode() };
    post({ type: "done", metrics });
  } catch (error) {
    const { kind, message, hint } = typed(error);
    post({ type: "failed", kind, message, hint });
  } finally {
    clearInterval(timer);
  }
};

function opener(target: Target): Open {
  if (target.kind === "http") return httpConnections(target.url);
  return target.kind === "udp" ? udpConnections(target) : tcpConnections(target);
}

function post(message: FromLoad): void {
  scope.postMessage(message);
}
