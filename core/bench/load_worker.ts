/**
 * A worker isolate of a load: runs an attack, and tells how it goes. load.ts starts it, with the right
 * to the network and nothing else.
 */
/// <reference lib="deno.worker" />
import { type Kind, typed } from "../error.ts";
import { Attack, type AttackOptions, type Metrics } from "./attack.ts";
import { httpLines } from "./http_connection.ts";
import { tcpLines, type TcpOptions } from "./tcp_connection.ts";
import { udpLines } from "./udp_connection.ts";

/** What is asked, and over what. */
export type Aim =
  | ({ readonly kind: "tcp" | "udp" } & TcpOptions)
  | { readonly kind: "http"; readonly url: string };

export type ToLoad =
  | {
    readonly type: "start";
    readonly aim: Aim;
    readonly options: Omit<AttackOptions, "signal" | "onMeasuring">;
  }
  | { readonly type: "stop" };

/** Metrics as they are posted. */
export interface Posted extends Omit<Metrics, "latencies" | "lag"> {
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
  | { readonly type: "done"; readonly metrics: Posted }
  | {
    readonly type: "failed";
    readonly kind: Kind;
    readonly message: string;
    readonly hint: string | undefined;
  };

const scope = self as unknown as DedicatedWorkerGlobalScope;
const progressEvery = 250;
const stop = new AbortController();

scope.onmessage = async ({ data: message }: MessageEvent<ToLoad>) => {
  if (message.type === "stop") return stop.abort();
  const { aim, options } = message;
  const open = aim.kind === "http"
    ? httpLines(aim)
    : aim.kind === "udp"
    ? udpLines(aim)
    : tcpLines(aim);
  const attack = new Attack(open, {
    ...{ ...options, signal: stop.signal },
    onMeasuring: () => tell({ type: "measuring" }),
  });
  const timer = setInterval(() => {
    const { answers, failures, latencies } = attack.metrics;
    const { max } = latencies;
    tell({ type: "progress", answers, failures, p99: latencies.percentile(99), max });
  }, progressEvery);
  try {
    const { latencies, lag, ...rest } = await attack.run();
    const posted = (of: typeof lag) => ({ encoded: of.encode(), mean: of.mean });
    tell({ type: "done", metrics: { ...rest, latencies: posted(latencies), lag: posted(lag) } });
  } catch (error) {
    const { kind, message, hint } = typed(error);
    tell({ type: "failed", kind, message, hint });
  } finally {
    clearInterval(timer);
  }
};

function tell(message: FromLoad): void {
  scope.postMessage(message);
}
