/**
 * What the server has done since it started, counted by all workers.
 *
 * The counts lie in memory that the workers share, as the gate's do: a row for each worker, which it
 * alone writes. Whoever wants the sum adds up the rows, without asking anybody. A worker that dies
 * leaves its row behind and the next one counts on in it, so that no counter ever goes backwards;
 * only how many connections are open is cleared by who takes the row over.
 *
 * All labels are known beforehand, and there is a cell for each: what strangers send can make a
 * number grow, never the number of numbers (a verb that is not known counts as `other`). To count is
 * to add to a cell; nothing is allocated.
 *
 * Latencies are counted in fixed buckets. That is how Prometheus has it, so that histograms of
 * workers and servers can be added up; an HDR histogram would be finer, but is an object, which no
 * shared memory holds. The buckets are Prometheus' defaults (5 ms to 10 s), longer on both sides: a
 * `stat` takes less than a millisecond, an upload minutes.
 *
 * A cell is a 64-bit float, exact up to 2^53. Reading one while its worker writes it is one load on
 * the 64-bit machines that the runtime is made for; the language would let it tear on others.
 */
import { type Kind, kinds } from "../error.ts";
import { type Verb, verbs as protocolVerbs } from "../protocol/message.ts";

/** All doors that there may be, in the order in which they are told. */
export const doorNames = ["native", "http", "ftp", "ftps", "sftp"] as const;
export type DoorName = typeof doorNames[number];

/** What requests are counted as: each door translates into these, else it is `other`. */
export const verbNames: readonly (Verb | "login" | "other")[] = [
  ...protocolVerbs,
  "login",
  "other",
];

export type Outcome = "ok" | Kind;
const outcomes: readonly Outcome[] = ["ok", ...Object.keys(kinds) as Kind[]];

/** The upper bounds of the buckets, in seconds; one more has no bound. */
export const bounds: readonly number[] = [
  ...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5],
  ...[1, 2.5, 5, 10, 30, 60, 300],
];

const perDoor = ["open", "opened", "refused", "received", "sent"] as const;
const plain = ["starts", "loginsOk", "loginsFailed", "bans"] as const;
/** Things that are counted by themselves. */
export type Counter = typeof plain[number];

const doorsAt = plain.length;
const requestsAt = doorsAt + doorNames.length * perDoor.length;
const buckets = bounds.length + 1;
/** A door's verb: outcomes, then the sum of its seconds, then the buckets. */
const verbLength = outcomes.length + 1 + buckets;
const rowLength = requestsAt + doorNames.length * verbNames.length * verbLength;

const doorIndex = new Map<string, number>(doorNames.map((name, i) => [name, i]));
const verbIndex = new Map<string, number>(verbNames.map((name, i) => [name, i]));
const outcomeIndex = new Map<string, number>(outcomes.map((name, i) => [name, i]));

/** The counts of all workers; to be posted to each of them. */
export interface Board {
  readonly counts: SharedArrayBuffer;
  /** When the server started, in ms since 1970. */
  readonly started: number;
}

/** @param workers how many isolates will count on it */
export function makeBoard(workers: number): Board {
  const bytes = workers * rowLength * Float64Array.BYTES_PER_ELEMENT;
  return { counts: new SharedArrayBuffer(bytes), started: Date.now() };
}

/** What a door has seen. All but `open` only grow. */
export interface DoorCounts {
  readonly door: DoorName;
  /** Connections: open now; let in; told that there is no place. */
  readonly open: number;
  readonly opened: number;
  readonly refused: number;
  /** Bytes of files. */
  readonly received: number;
  readonly sent: number;
}

/** What became of one verb's requests at one door. */
export interface RequestCounts {
  readonly door: DoorName;
  readonly verb: string;
  readonly count: number;
  /** How many of each outcome that there was. */
  readonly outcomes: { readonly [outcome in Outcome]?: number };
  /** All their durations added up. */
  readonly seconds: number;
  /** How many took at most `bounds[i]`, and longer than the bound before; the last: longer. */
  readonly buckets: readonly number[];
}

/** All counts of all workers at one moment: plain data. */
export interface Counts {
  /** In ms since 1970. */
  readonly started: number;
  /** How many isolates serve, and how many had to be started again. */
  readonly workers: number;
  readonly restarts: number;
  readonly logins: { readonly ok: number; readonly failed: number };
  /** Bans that began. */
  readonly bans: number;
  readonly doors: readonly DoorCounts[];
  /** Of doors and verbs that were asked. */
  readonly requests: readonly RequestCounts[];
}

export class Metrics {
  readonly #all: Float64Array;
  readonly #row: Float64Array;
  readonly #started: number;

  /**
   * @param worker which row is this isolate's, from 0
   * @param board shared with others; undefined: there are none
   */
  constructor(worker = 0, board: Board = makeBoard(1)) {
    this.#all = new Float64Array(board.counts);
    this.#row = this.#all.subarray(worker * rowLength, (worker + 1) * rowLength);
    this.#started = board.started;
    for (const door of doorNames) this.#row[doorCell(door, "open")] = 0;
  }

  /** @param counter `starts`: once for each isolate that serves */
  count(counter: Counter, by = 1): void {
    this.#row[plain.indexOf(counter)] += by;
  }

  /** A connection was let in. */
  opened(door: DoorName): void {
    this.#row[doorCell(door, "opened")]++;
    this.#row[doorCell(door, "open")]++;
  }

  /** One that was let in is gone. */
  closed(door: DoorName): void {
    this.#row[doorCell(door, "open")]--;
  }

  /** One was turned away for want of a place. */
  refused(door: DoorName): void {
    this.#row[doorCell(door, "refused")]++;
  }

  /** Bytes of a file came in, or went out. */
  moved(door: DoorName, way: "received" | "sent", bytes: number): void {
    if (bytes > 0) this.#row[doorCell(door, way)] += bytes;
  }

  /**
   * A request has ended.
   *
   * @param verb as the stranger wrote it; null for what was no request
   */
  ended(door: DoorName, verb: string | null, outcome: Outcome, seconds: number): void {
    const at = verbCell(doorIndex.get(door)!, verbIndex.get(verb ?? "") ?? verbNames.length - 1);
    this.#row[at + outcomeIndex.get(outcome)!]++;
    this.#row[at + outcomes.length] += seconds;
    let bucket = 0;
    while (bucket < bounds.length && seconds > bounds[bucket]) bucket++;
    this.#row[at + outcomes.length + 1 + bucket]++;
  }

  /** Bytes of files that came in and went out by all doors. */
  totals(): { received: number; sent: number } {
    const sum = (way: "received" | "sent") => {
      let all = 0;
      for (let row = 0; row < this.#all.length; row += rowLength) {
        for (const door of doorNames) all += this.#all[row + doorCell(door, way)];
      }
      return all;
    };
    return { received: sum("received"), sent: sum("sent") };
  }

  /** Adds up what all workers have counted. */
  snapshot(): Counts {
    const workers = this.#all.length / rowLength;
    const sum = (cell: number) => {
      let all = 0;
      for (let row = 0; row < workers; row++) all += this.#all[row * rowLength + cell];
      return all;
    };
    const [starts, ok, failed, bans] = plain.map((_, cell) => sum(cell));
    return {
      ...{ started: this.#started, workers, restarts: Math.max(0, starts - workers) },
      logins: { ok, failed },
      bans,
      doors: doorNames.map((door) => {
        const of = (what: typeof perDoor[number]) => sum(doorCell(door, what));
        return {
          ...{ door, open: of("open"), opened: of("opened"), refused: of("refused") },
          ...{ received: of("received"), sent: of("sent") },
        };
      }),
      requests: doorNames.flatMap((door, d) =>
        verbNames.map((verb, v) => requestsOf(door, verb, (i) => sum(verbCell(d, v) + i)))
      ).filter(({ count }) => count > 0),
    };
  }
}

/**
 * The duration that a part of the requests did not exceed, as Prometheus' histogram_quantile gives
 * it: as if those in a bucket were spread evenly over it.
 *
 * @param part 0.5 for the median
 * @returns seconds; at most the last bound
 *
 * @example
 * ```ts
 * import { bounds, quantile } from "./metrics.ts";
 * const buckets = bounds.map((bound) => bound === 0.01 ? 10 : 0); // all took 5 to 10 ms
 * if (quantile([...buckets, 0], 0.5) !== 0.0075) throw new Error();
 * ```
 */
export function quantile(buckets: readonly number[], part: number): number {
  const rank = part * buckets.reduce((sum, n) => sum + n, 0);
  let below = 0;
  for (const [i, bound] of bounds.entries()) {
    const n = buckets[i];
    const from = bounds[i - 1] ?? 0;
    if (n > 0 && below + n >= rank) return from + (bound - from) * (rank - below) / n;
    below += n;
  }
  return below === 0 && rank === 0 ? 0 : bounds.at(-1)!;
}

function requestsOf(
  door: DoorName,
  verb: string,
  cell: (offset: number) => number,
): RequestCounts {
  const found: { [outcome in Outcome]?: number } = {};
  for (const [i, outcome] of outcomes.entries()) {
    const n = cell(i);
    if (n > 0) found[outcome] = n;
  }
  const counted = Array.from({ length: buckets }, (_, i) => cell(outcomes.length + 1 + i));
  return {
    ...{ door, verb, outcomes: found, seconds: cell(outcomes.length), buckets: counted },
    count: counted.reduce((sum, n) => sum + n, 0),
  };
}

function doorCell(door: DoorName, what: typeof perDoor[number]): number {
  return doorsAt + doorIndex.get(door)! * perDoor.length + perDoor.indexOf(what);
}

function verbCell(door: number, verb: number): number {
  return requestsAt + (door * verbNames.length + verb) * verbLength;
}
