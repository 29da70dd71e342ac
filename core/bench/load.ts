/** A load of one or several workers, and what they measured together. */
import process from "node:process";
import { BargeError } from "../error.ts";
import { allowedDescriptors, spareDescriptors } from "../net/descriptors.ts";
import { Latencies } from "./histogram.ts";
import type { Aim, FromLoad, Posted, ToLoad } from "./load_worker.ts";
import { machine } from "./machine.ts";
import { latencyOf, type Result } from "./result.ts";

/** An isolate that is busy for more than this share of the time is what was measured. */
const bound = 0.9;
/** Nor may requests at a rate be sent later than so many ms, in one of a hundred. */
const mostLag = 20;

export interface LoadOptions {
  readonly aim: Aim;
  /** What is aimed at, for people. */
  readonly target: string;
  readonly connections: number;
  readonly workers: number;
  /** ms */
  readonly duration: number;
  readonly requests: number | undefined;
  /** Requests a second. */
  readonly rate: number | undefined;
  /** ms */
  readonly warmUp: number;
  /** ms */
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** How it goes. */
export interface Progress {
  /** ms that it has been measured for; 0 before that. */
  readonly elapsed: number;
  readonly answers: number;
  readonly errors: number;
  /** Of the slowest worker, in ms. */
  readonly p99: number;
  readonly max: number;
}

/**
 * Runs a load to its end, or to the signal.
 *
 * @throws {BargeError} `unavailable` when nobody answers at all, or descriptors run out
 */
export async function load(options: LoadOptions): Promise<Result> {
  const { connections, signal, aim, requests, rate, target } = options;
  if (aim.kind !== "http") await checkDescriptors(connections);
  const workers = Math.min(options.workers, connections, requests ?? Infinity);
  const started = new Date().toISOString();
  const hands = Array.from({ length: workers }, () => new Hand());
  const share = (all: number, i: number) => Math.floor(all / workers) + (i < all % workers ? 1 : 0);
  let cpu: NodeJS.CpuUsage | undefined;
  let began = 0;
  const onMeasuring = () => {
    cpu ??= process.cpuUsage();
    began ||= performance.now();
  };
  const report = () => options.onProgress?.(progressOf(hands, began));
  const stop = () => hands.forEach((hand) => hand.post({ type: "stop" }));
  signal.addEventListener("abort", stop, { once: true });
  try {
    const { duration, warmUp, timeout } = options;
    const runs = hands.map((hand, i) =>
      hand.run({
        ...{ type: "start", aim },
        options: {
          ...{ duration, warmUp, timeout, connections: share(connections, i) },
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
      ...{ kind: aim.kind, target, started, machine: machine(), connections, workers },
      size: aim.kind === "http" ? null : aim.size,
      rate: rate ?? null,
      verified: aim.kind !== "http" && aim.verify,
      interrupted: signal.aborted,
      ...merged(posted, busy),
    };
  } finally {
    signal.removeEventListener("abort", stop);
    for (const hand of hands) hand.terminate();
  }
}

/** What the workers have measured, as one. */
function merged(posted: readonly Posted[], busy: number) {
  const [latencies, lag] = [new Latencies(), new Latencies()];
  const failures: Record<string, number> = {};
  let [answers, bytes, elapsed, lines, fewest] = [0, 0, 0, 0, Infinity];
  for (const one of posted) {
    latencies.merge(one.latencies.encoded, one.latencies.mean);
    lag.merge(one.lag.encoded, one.lag.mean);
    for (const [name, n] of Object.entries(one.failures)) {
      failures[name] = (failures[name] ?? 0) + n;
    }
    answers += one.answers;
    bytes += one.bytes;
    lines += one.lines;
    elapsed = Math.max(elapsed, one.elapsed);
    fewest = Math.min(fewest, one.fewest);
  }
  const seconds = elapsed / 1000;
  const perSecond = (n: number) => seconds === 0 ? 0 : Math.round(n / seconds * 10) / 10;
  const lag99 = Math.round(lag.percentile(99) * 1000) / 1000;
  const busyShare = Math.round(busy * 1000) / 1000;
  return {
    seconds: Math.round(elapsed) / 1000,
    requests: answers,
    errors: Object.values(failures).reduce((sum, n) => sum + n, 0),
    failures,
    requestsPerSecond: perSecond(answers),
    bytesPerSecond: Math.round(perSecond(bytes)),
    latency: latencyOf(latencies),
    fairness: answers === 0 ? 0 : Math.round(fewest * lines / answers * 1000) / 1000,
    generator: { busy: busyShare, lag99, bound: busyShare > bound || lag99 > mostLag },
    histogram: latencies.bars(),
  };
}

function progressOf(hands: readonly Hand[], began: number): Progress {
  const sum = (of: (hand: Hand) => number) => hands.reduce((total, hand) => total + of(hand), 0);
  return {
    elapsed: began === 0 ? 0 : performance.now() - began,
    answers: sum(({ progress }) => progress.answers),
    errors: sum(({ progress }) => count(progress.failures)),
    p99: Math.max(...hands.map(({ progress }) => progress.p99)),
    max: Math.max(...hands.map(({ progress }) => progress.max)),
  };
}

function count(failures: Readonly<Record<string, number>>): number {
  return Object.values(failures).reduce((sum, n) => sum + n, 0);
}

/** @throws {BargeError} `unavailable` where the system tells that there are too few */
async function checkDescriptors(connections: number): Promise<void> {
  const allowed = await allowedDescriptors() ?? Infinity; // where it is not told, opening them tells
  const needed = connections + spareDescriptors;
  if (needed <= allowed) return;
  const why =
    `${connections} connections need ${needed} file descriptors, and ${allowed} are allowed`;
  throw new BargeError("unavailable", why, { hint: `\`ulimit -n ${needed}\` allows them` });
}

/** A worker. */
class Hand {
  progress: Extract<FromLoad, { type: "progress" }> = {
    ...{ type: "progress", answers: 0, failures: {}, p99: 0, max: 0 },
  };
  readonly #worker = new Worker(new URL("./load_worker.ts", import.meta.url), {
    type: "module",
    name: "barge load",
    deno: {
      permissions: {
        ...{ net: true, read: false, write: false, env: false },
        ...{ ffi: false, import: false, run: false, sys: false },
      },
    },
  });

  run(
    start: ToLoad,
    { onMeasuring, report }: { readonly onMeasuring: () => void; readonly report: () => void },
  ): Promise<Posted> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data: message }: MessageEvent<FromLoad>) => {
        if (message.type === "measuring") onMeasuring();
        else if (message.type === "done") resolve(message.metrics);
        else if (message.type === "failed") {
          const { kind, message: why, hint } = message;
          reject(new BargeError(kind, why, { hint }));
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
