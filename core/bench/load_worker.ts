/**
 * A worker isolate of a load: runs an attack and posts its progress. load.ts starts it with the
 * permission for the network only.
 */
/// <reference lib="deno.worker" />
import { type Kind, typed } from "../error.ts";
import { Attack, type AttackOptions } from "./attack.ts";
import type { Open } from "./connection.ts";
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
    readonly options: Omit<AttackOptions, "signal" | "onMeasuring">;
  }
  | { readonly type: "stop" };

/** Metrics as a worker posts them. */
export interface PostedMetrics extends Omit<Metrics, "latencies" | "lag"> {
  readonly latencies: { readonly encoded: string; readonly mean: number };
  readonly lag: { readonly encoded: string; readonly mean: number };
}

export type FromLoad =
  | { readonly type: "measuring" }
  | {
    readonly type: "progress";
    readonly answers: number;
    readonly failures: Readonly<Record<string, number>>;
    readonly p99: number;
    readonly max: number;
  }
  | { readonly type: "done"; readonly metrics: PostedMetrics }
  | {
    readonly type: "failed";
    readonly kind: Kind;
    readonly message: string;
    readonly hint: string | undefined;
  };

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
    const encoded = (all: typeof lag) => ({ encoded: all.encode(), mean: all.mean });
    post({ type: "done", metrics: { ...rest, latencies: encoded(latencies), lag: encoded(lag) } });
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
