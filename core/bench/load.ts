/** A load by one or several workers, and their merged result. */
import process from "node:process";
import { BargeError } from "../error.ts";
import { allowedDescriptors, spareDescriptors } from "../echo/descriptors.ts";
import type { Amount } from "./attack.ts";
import { Latencies } from "./histogram.ts";
import type { FromLoad, LoaderProgress, PostedMetrics, Target, ToLoad } from "./load_worker.ts";
import { machine } from "./machine.ts";
import { latencyOf, type Result } from "./result.ts";

/** The most time that a worker may be busy, as a share. Above it, the load measures itself, not the server. */
const maxBusyShare = 0.9;
/** The largest 99th percentile of the lag. Above it, the load measures itself, not the server. */
const maxLagMs = 20;

export interface LoadOptions extends Amount {
  readonly target: Target;
  /** The target's address, for the report. */
  readonly address: string;
  readonly workers: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** The state of a load while it runs. */
export interface Progress {
  /** ms since measuring began; 0 before that. */
  readonly elapsed: number;
  readonly answers: number;
  readonly errors: number;
  /** The highest 99th percentile of all workers, in ms. `max` is their highest latency. */
  readonly p99: number;
  readonly max: number;
}

/**
 * Runs a load until its end or the signal.
 *
 * @throws {BargeError} `unavailable` when no server answers, or descriptors run out
 */
export async function load(options: LoadOptions): Promise<Result> {
  const { connections, signal, target, address, requests, rate } = options;
  if (target.kind !== "http") await checkDescriptors(connections);
  const workers = Math.min(options.workers, connections, requests ?? Infinity);
  const started = new Date().toISOString();
  const loaders = Array.from({ length: workers }, () => new Loader());
  const share = (all: number, i: number) => Math.floor(all / workers) + (i < all % workers ? 1 : 0);
  let cpu: NodeJS.CpuUsage | undefined;
  let began = 0;
  const onMeasuring = () => {
    cpu ??= process.cpuUsage();
    began ||= performance.now();
  };
  const report = () => options.onProgress?.(progressOf(loaders, began));
  const stop = () => loaders.forEach((loader) => loader.post({ type: "stop" }));
  signal.addEventListener("abort", stop, { once: true });
  try {
    const { duration, warmUp, timeout } = options;
    const runs = loaders.map((loader, i) =>
      loader.run({
        type: "start",
        target,
        options: {
          duration,
          warmUp,
          timeout,
          connections: share(connections, i),
          requests: requests === undefined ? undefined : share(requests, i),
          rate: rate === undefined ? undefined : rate / workers,
        },
      }, { onMeasuring, report })
    );
    if (signal.aborted) stop();
    const posted = await Promise.all(runs);
    const used = process.cpuUsage(cpu);
    const wall = began === 0 ? Infinity : performance.now() - began;
    const busy = (used.user + used.system) / 1000 / wall / workers;
    return {
      schema: "barge-bench/1",
      kind: target.kind,
      target: address,
      started,
      machine: machine(),
      connections,
      workers,
      size: target.kind === "http" ? null : target.size,
      rate: rate ?? null,
      verified: target.kind !== "http" && target.verify,
      interrupted: signal.aborted,
      ...merged(posted, busy),
    };
  } finally {
    signal.removeEventListener("abort", stop);
    for (const loader of loaders) loader.terminate();
  }
}

/** Merges the measurements of all workers. @param busy share of the time a worker used a core */
function merged(posted: readonly PostedMetrics[], busy: number) {
  const [latencies, lag] = [new Latencies(), new Latencies()];
  const failures: Record<string, number> = {};
  let [answers, bytes, elapsed, connections, fewest] = [0, 0, 0, 0, Infinity];
  for (const one of posted) {
    latencies.merge(one.latencies);
    lag.merge(one.lag);
    for (const [name, n] of Object.entries(one.failures)) {
      failures[name] = (failures[name] ?? 0) + n;
    }
    answers += one.answers;
    bytes += one.bytes;
    connections += one.connections;
    elapsed = Math.max(elapsed, one.elapsed);
    fewest = Math.min(fewest, one.fewestAnswers);
  }
  const seconds = elapsed / 1000;
  const perSecond = (n: number) => seconds === 0 ? 0 : Math.round(n / seconds * 10) / 10;
  const lag99 = Math.round(lag.percentile(99) * 1000) / 1000;
  const busyShare = Math.round(busy * 1000) / 1000;
  return {
    seconds: Math.round(elapsed) / 1000,
    requests: answers,
    errors: count(failures),
    failures,
    requestsPerSecond: perSecond(answers),
    bytesPerSecond: Math.round(perSecond(bytes)),
    latency: latencyOf(latencies),
    fairness: answers === 0 ? 0 : Math.round(fewest * connections / answers * 1000) / 1000,
    generator: { busy: busyShare, lag99, bound: busyShare > maxBusyShare || lag99 > maxLagMs },
    histogram: latencies.bars(),
  };
}

function progressOf(loaders: readonly Loader[], began: number): Progress {
  const all = loaders.map(({ progress }) => progress);
  return {
    elapsed: began === 0 ? 0 : performance.now() - began,
    answers: all.reduce((sum, { answers }) => sum + answers, 0),
    errors: all.reduce((sum, { failures }) => sum + count(failures), 0),
    p99: Math.max(...all.map(({ p99 }) => p99)),
    max: Math.max(...all.map(({ max }) => max)),
  };
}

function count(failures: Readonly<Record<string, number>>): number {
  return Object.values(failures).reduce((sum, n) => sum + n, 0);
}

/** @throws {BargeError} `unavailable` when the system allows too few descriptors */
async function checkDescriptors(connections: number): Promise<void> {
  const allowed = await allowedDescriptors() ?? Infinity;
  const needed = connections + spareDescriptors;
  if (needed <= allowed) return;
  const why =
    `${connections} connections need ${needed} file descriptors, and ${allowed} are allowed`;
  throw new BargeError("unavailable", why, { hint: `\`ulimit -n ${needed}\` allows them` });
}

/** A worker that runs a share of the load. */
class Loader {
  progress: LoaderProgress = { type: "progress", answers: 0, failures: {}, p99: 0, max: 0 };
  readonly #worker = new Worker(new URL("./load_worker.ts", import.meta.url), {
    type: "module",
    name: "barge load",
    deno: { permissions: { net: true } }, // the runtime denies those that are not named
  });

  run(
    start: ToLoad,
    { onMeasuring, report }: { readonly onMeasuring: () => void; readonly report: () => void },
  ): Promise<PostedMetrics> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data: message }: MessageEvent<FromLoad>) => {
        if (message.type === "measuring") onMeasuring();
        else if (message.type === "done") resolve(message.metrics);
        else if (message.type === "failed") {
          const { kind, hint } = message;
          reject(new BargeError(kind, message.message, { hint }));
        } else {
          this.progress = message;
          report();
        }
      };
      this.#worker.onerror = (event) => {
        event.preventDefault();
        reject(new BargeError("fatal", event.message, { op: "run load worker" }));
      };
      this.post(start);
    });
  }

  post(message: ToLoad): void {
    this.#worker.postMessage(message);
  }

  terminate(): void {
    this.#worker.terminate();
  }
}
