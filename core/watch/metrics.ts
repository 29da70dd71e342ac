/**
 * Counts the server's work since its start, over all workers.
 *
 * The counts are in memory that the workers share. Each worker writes its own row only, and any isolate
 * can add up the rows. A worker that replaces a dead one keeps the row of the dead worker, so that no
 * counter goes backwards, and resets only the numbers of open and of busy connections.
 *
 * Each combination of labels has a cell from the start, and unknown verbs count as `other`: requests
 * can't make the memory grow. Latencies are counted in fixed buckets, so that histograms of workers and
 * servers can be added up: Prometheus' defaults (5 ms to 10 s), extended on both sides.
 *
 * In front of the rows are gauges, which the supervisor alone writes.
 *
 * A cell is a 64-bit float, exact up to 2^53. 64-bit machines load it in one instruction, so a reader
 * never sees a partly written value.
 */
import { type Kind, kinds } from "../error.ts";
import { verbs as protocolVerbs } from "../protocol/message.ts";

/** All doors, in the order in which reports list them. */
export const doorNames = ["native", "http", "ftp", "ftps", "sftp"] as const;
export type DoorName = typeof doorNames[number];

/** The labels of requests; the doors translate their own verbs into these. */
export const verbNames = [...protocolVerbs, "login", "other"] as const;

export type Outcome = "ok" | Kind;
const outcomes: readonly Outcome[] = ["ok", ...Object.keys(kinds) as Kind[]];

/** The upper bounds of the buckets; one more bucket has no bound. */
export const latencyBoundsSeconds: readonly number[] = [
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
  60,
  300,
];

const doorCounters = ["open", "busy", "opened", "refused", "received", "sent"] as const;
const serverCounters = ["starts", "loginsOk", "loginsFailed", "bans"] as const;
/** A counter without labels. */
export type Counter = typeof serverCounters[number];

/** The state of the regular verification, with times in ms. */
export const verifyGauges = [
  "verifyInterval",
  "verifyFinished",
  "verifyDue",
  "verifyFiles",
  "verifyBytes",
  "verifyBad",
] as const;

/**
 * Measured by the supervisor: the end of the certificate, and its next renewal by ACME, in ms since 1970; the failed
 * tries to renew it since the last success; bytes of the disk; the counts of events (`DispatcherState` in
 * core/events/dispatcher.ts); {@link verifyGauges}; and the spans of traces that the collector has taken, and that were
 * dropped.
 */
const gaugeNames = [
  "certificateEnd",
  "certificateRenewal",
  "certificateFailures",
  "diskSize",
  "diskAvailable",
  "eventsWaiting",
  "eventsFailing",
  "eventsOldest",
  "eventsDelivered",
  "eventFailures",
  "eventsDropped",
  ...verifyGauges,
  "spansExported",
  "spansDropped",
] as const;
export type Gauge = typeof gaugeNames[number];
/** The measured values. A gauge that does not apply is absent. */
export type Gauges = { readonly [gauge in Gauge]?: number };
const gaugeBytes = gaugeNames.length * Float64Array.BYTES_PER_ELEMENT;

/** The layout of a row: counters of the server, counters of each door, requests by door and verb. */
const doorsStart = serverCounters.length;
const requestsStart = doorsStart + doorNames.length * doorCounters.length;
const bucketCount = latencyBoundsSeconds.length + 1;
/** The layout of a verb's cells: its outcomes, the sum of its seconds, its buckets. */
const verbLength = outcomes.length + 1 + bucketCount;
const rowLength = requestsStart + doorNames.length * verbNames.length * verbLength;

const doorIndex = new Map<string, number>(doorNames.map((name, i) => [name, i]));
const verbIndex = new Map<string, number>(verbNames.map((name, i) => [name, i]));
const outcomeIndex = new Map<string, number>(outcomes.map((name, i) => [name, i]));

/** The counts of all workers, to be posted to each of them. */
export interface SharedCounts {
  readonly counts: SharedArrayBuffer;
  /** When the server started, in ms since 1970. */
  readonly started: number;
}

/** Allocates the counts. @param workers the number of isolates that share them */
export function makeSharedCounts(workers: number): SharedCounts {
  const bytes = gaugeBytes + workers * rowLength * Float64Array.BYTES_PER_ELEMENT;
  const counts = new SharedArrayBuffer(bytes);
  new Float64Array(counts, 0, gaugeNames.length).fill(NaN);
  return { counts, started: Date.now() };
}

/**
 * The counts of a door: the connections that are open now, those of them that have a request under way
 * (`busy`), that were accepted, and that a limit refused; the bytes of files. Only `open` and `busy` can
 * decrease.
 */
export type DoorCounts =
  & { readonly door: DoorName }
  & { readonly [counter in typeof doorCounters[number]]: number };

/** The requests of one verb at one door. */
export interface RequestCounts {
  readonly door: DoorName;
  readonly verb: string;
  readonly count: number;
  /** Number of requests by outcome, without zeros. */
  readonly outcomes: { readonly [outcome in Outcome]?: number };
  readonly seconds: number;
  /** `buckets[i]` counts the durations above bound i - 1, up to bound i. The last bucket has no upper bound. */
  readonly buckets: readonly number[];
}

/** All counts of all workers at one moment, as plain data. */
export interface Counts {
  /** When the server started, in ms since 1970. */
  readonly started: number;
  /** Number of workers, and of their restarts. */
  readonly workers: number;
  readonly restarts: number;
  readonly logins: { readonly ok: number; readonly failed: number };
  /** Number of bans that began. */
  readonly bans: number;
  readonly doors: readonly DoorCounts[];
  /** The counts of each door and verb that has had requests. */
  readonly requests: readonly RequestCounts[];
}

export class Metrics {
  readonly #gauges: Float64Array;
  readonly #all: Float64Array;
  readonly #row: Float64Array;
  readonly #started: number;

  /**
   * @param worker the row of this isolate, from 0
   * @param sharedCounts by default, counts that no other isolate shares
   */
  constructor(worker = 0, sharedCounts: SharedCounts = makeSharedCounts(1)) {
    this.#gauges = new Float64Array(sharedCounts.counts, 0, gaugeNames.length);
    this.#all = new Float64Array(sharedCounts.counts, gaugeBytes);
    this.#row = this.#all.subarray(worker * rowLength, (worker + 1) * rowLength);
    this.#started = sharedCounts.started;
    for (const door of doorNames) {
      for (const gauge of ["open", "busy"] as const) this.#row[doorCell(door, gauge)] = 0;
    }
  }

  /** Adds to a counter without labels. Each worker adds 1 to `starts` when it starts. */
  count(counter: Counter, by = 1): void {
    this.#row[serverCounters.indexOf(counter)] += by;
  }

  opened(door: DoorName): void {
    this.#row[doorCell(door, "opened")]++;
    this.#row[doorCell(door, "open")]++;
  }

  closed(door: DoorName): void {
    this.#row[doorCell(door, "open")]--;
  }

  /** Counts a connection that begins (+1) or ends (-1) to have a request under way. */
  addBusy(door: DoorName, by: 1 | -1): void {
    this.#row[doorCell(door, "busy")] += by;
  }

  refused(door: DoorName): void {
    this.#row[doorCell(door, "refused")]++;
  }

  /** Adds bytes of files that a door has received or sent. */
  addBytes(door: DoorName, direction: "received" | "sent", bytes: number): void {
    if (bytes > 0) this.#row[doorCell(door, direction)] += bytes;
  }

  /**
   * Counts a request that has ended.
   *
   * @param verb as the client wrote it; null for input that was no request
   */
  addRequest(door: DoorName, verb: string | null, outcome: Outcome, seconds: number): void {
    const cell = verbCell(doorIndex.get(door)!, verbIndex.get(verb ?? "") ?? verbNames.length - 1);
    this.#row[cell + outcomeIndex.get(outcome)!]++;
    this.#row[cell + outcomes.length] += seconds;
    let bucket = 0;
    while (bucket < latencyBoundsSeconds.length && seconds > latencyBoundsSeconds[bucket]) bucket++;
    this.#row[cell + outcomes.length + 1 + bucket]++;
  }

  /** Returns the bytes of files that all doors have received and sent. */
  totals(): { received: number; sent: number } {
    const sum = (direction: "received" | "sent") =>
      doorNames.reduce((total, door) => total + this.#sum(doorCell(door, direction)), 0);
    return { received: sum("received"), sent: sum("sent") };
  }

  /** Sets a gauge. Only one isolate may call this. @param value undefined where the gauge does not apply */
  setGauge(gauge: Gauge, value: number | undefined): void {
    this.#gauges[gaugeNames.indexOf(gauge)] = value ?? NaN;
  }

  gauges(): Gauges {
    const values = gaugeNames.map((gauge, i) => [gauge, this.#gauges[i]] as const);
    return Object.fromEntries(values.filter(([, value]) => !Number.isNaN(value)));
  }

  snapshot(): Counts {
    const workers = this.#all.length / rowLength;
    const [starts, ok, failed, bans] = serverCounters.map((_, cell) => this.#sum(cell));
    return {
      started: this.#started,
      workers,
      restarts: Math.max(0, starts - workers),
      logins: { ok, failed },
      bans,
      doors: doorNames.map((door) => {
        const [open, busy, opened, refused, received, sent] = doorCounters.map((counter) =>
          this.#sum(doorCell(door, counter))
        );
        return { door, open, busy, opened, refused, received, sent };
      }),
      requests: doorNames.flatMap((door, d) =>
        verbNames.map((verb, v) => requestsOf(door, verb, (i) => this.#sum(verbCell(d, v) + i)))
      ).filter(({ count }) => count > 0),
    };
  }

  #sum(cell: number): number {
    let sum = 0;
    for (let at = cell; at < this.#all.length; at += rowLength) sum += this.#all[at];
    return sum;
  }
}

/**
 * Estimates a quantile of durations from their buckets. Like Prometheus' histogram_quantile, it assumes
 * that the durations in a bucket are spread evenly over the bucket.
 *
 * @param fraction 0.5 for the median
 * @returns seconds; at most the last bound
 *
 * @example
 * ```ts
 * import { latencyBoundsSeconds, quantile } from "./metrics.ts";
 * const buckets = latencyBoundsSeconds.map((bound) => bound === 0.01 ? 10 : 0); // all took 5 to 10 ms
 * if (quantile([...buckets, 0], 0.5) !== 0.0075) throw new Error();
 * ```
 */
export function quantile(buckets: readonly number[], fraction: number): number {
  const rank = fraction * buckets.reduce((sum, n) => sum + n, 0);
  let below = 0;
  for (const [i, bound] of latencyBoundsSeconds.entries()) {
    const n = buckets[i];
    const from = latencyBoundsSeconds[i - 1] ?? 0;
    if (n > 0 && below + n >= rank) return from + (bound - from) * (rank - below) / n;
    below += n;
  }
  return below === 0 && rank === 0 ? 0 : latencyBoundsSeconds.at(-1)!;
}

function requestsOf(door: DoorName, verb: string, cell: (offset: number) => number): RequestCounts {
  const counts: { [outcome in Outcome]?: number } = {};
  for (const [i, outcome] of outcomes.entries()) {
    const n = cell(i);
    if (n > 0) counts[outcome] = n;
  }
  const buckets = Array.from({ length: bucketCount }, (_, i) => cell(outcomes.length + 1 + i));
  const count = buckets.reduce((sum, n) => sum + n, 0);
  return { door, verb, count, outcomes: counts, seconds: cell(outcomes.length), buckets };
}

function doorCell(door: DoorName, counter: typeof doorCounters[number]): number {
  return doorsStart + doorIndex.get(door)! * doorCounters.length + doorCounters.indexOf(counter);
}

function verbCell(door: number, verb: number): number {
  return requestsStart + (door * verbNames.length + verb) * verbLength;
}
