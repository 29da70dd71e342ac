/** The nodes that share one storage, as every one of them and the operator see them. */
import type { Counts, DoorCounts, DoorName, RequestCounts } from "./metrics.ts";

/** Which node this is. */
export interface NodeIdentity {
  /** Unique for each start. */
  readonly id: string;
  /** The operator's name for it. */
  readonly name: string;
}

/** The addresses where a node listens, HOST:PORT, by door. */
export type DoorAddresses = { readonly [door in DoorName]?: string };

/** The report of a node on itself, every few seconds; plain data. */
export interface NodeReport {
  readonly counts: Counts;
  /** Bytes of memory of the whole process. */
  readonly memory: number;
  /** Bytes of files a second since the last report. */
  readonly rates: { readonly received: number; readonly sent: number };
}

/** `gone`: it has not reported for a while, and has not stopped in order. */
export type NodeState = "running" | "stopping" | "gone";

/** A node as the list has it. Times are those of the database, in ms since 1970. */
export interface NodeStatus extends NodeIdentity, NodeReport {
  readonly state: NodeState;
  /** The version of the program. */
  readonly version: string;
  readonly doors: DoorAddresses;
  readonly started: number;
  /** When it reported last. */
  readonly seen: number;
  /** Whether it reaches the bucket. */
  readonly bucket: boolean;
}

/** The list of nodes, in storage that many machines share. */
export interface NodeList {
  /** The node that serves; undefined for a command. */
  readonly own: NodeIdentity | undefined;
  /** Returns all nodes that are not forgotten, by name, and the time of the database in ms since 1970. */
  list(): Promise<{ readonly nodes: readonly NodeStatus[]; readonly now: number }>;
  /**
   * Checks that clients should be sent to this node.
   *
   * @throws {BargeError} `unavailable` where the database does not answer soon, and where this node does not
   *   reach the bucket while another node does
   */
  checkReady(): Promise<void>;
}

/** Counts and rates, summed over nodes. */
export interface NodeSums extends NodeReport {
  /** Number of nodes that were summed. */
  readonly nodes: number;
}

/**
 * Sums the reports of all nodes that are not gone. Counters are those since the start of each node.
 *
 * @returns `counts.started` is the start of the oldest node; now, without any
 *
 * @example
 * ```ts
 * import { Metrics } from "./metrics.ts";
 * import { sumNodes } from "./nodes.ts";
 * const counts = new Metrics().snapshot();
 * const facts = { name: "a", version: "1", doors: {}, started: 5, seen: 6, bucket: true, counts };
 * const report = { memory: 10, rates: { received: 1, sent: 2 } };
 * const running = { id: "1", state: "running", ...facts, ...report } as const;
 * const late = { ...running, started: Date.now() + 3_600_000 }; // by a clock that is ahead of this one
 * if (sumNodes([late]).counts.started !== late.started) throw new Error();
 * const sums = sumNodes([running, running, { ...running, state: "gone" }]);
 * if (sums.memory !== 20 || sums.rates.sent !== 4 || sums.counts.workers !== 2) throw new Error();
 * ```
 */
export function sumNodes(all: readonly NodeStatus[]): NodeSums {
  const nodes = all.filter(({ state }) => state !== "gone");
  const sum = (of: (node: NodeStatus) => number) =>
    nodes.reduce((total, node) => total + of(node), 0);
  return {
    nodes: nodes.length,
    memory: sum(({ memory }) => memory),
    rates: {
      received: sum(({ rates }) => rates.received),
      sent: sum(({ rates }) => rates.sent),
    },
    counts: {
      started: nodes.length === 0 ? Date.now() : Math.min(...nodes.map(({ started }) => started)),
      workers: sum(({ counts }) => counts.workers),
      restarts: sum(({ counts }) => counts.restarts),
      logins: {
        ok: sum(({ counts }) => counts.logins.ok),
        failed: sum(({ counts }) => counts.logins.failed),
      },
      bans: sum(({ counts }) => counts.bans),
      doors: merged(nodes.flatMap(({ counts }) => counts.doors), ({ door }) => door, addDoors),
      requests: merged(
        nodes.flatMap(({ counts }) => counts.requests),
        ({ door, verb }) => `${door} ${verb}`,
        addRequests,
      ),
    },
  };
}

/** The states of a node in the metrics. `no-bucket`: it runs, and does not reach the bucket. */
const countedStates = ["running", "no-bucket", "stopping", "gone"] as const;
/** The number of nodes in each state. */
export type NodeCounts = { readonly [state in typeof countedStates[number]]: number };

/**
 * Counts the nodes in each state; each node has one.
 *
 * @example
 * ```ts
 * import { Metrics } from "./metrics.ts";
 * import { countNodes } from "./nodes.ts";
 * const facts = { name: "a", version: "1", doors: {}, started: 5, seen: 6, memory: 10 };
 * const report = { counts: new Metrics().snapshot(), rates: { received: 1, sent: 2 } };
 * const node = { id: "1", state: "running", bucket: true, ...facts, ...report } as const;
 * const counts = countNodes([node, { ...node, bucket: false }, { ...node, state: "gone" }]);
 * if (counts.running !== 1 || counts["no-bucket"] !== 1 || counts.gone !== 1) throw new Error();
 * ```
 */
export function countNodes(nodes: readonly NodeStatus[]): NodeCounts {
  const states = nodes.map(({ state, bucket }) =>
    state === "running" && !bucket ? "no-bucket" : state
  );
  const counts = countedStates.map((state) => [state, states.filter((s) => s === state).length]);
  return Object.fromEntries(counts);
}

/** Returns the sums over all doors. */
export function sumDoors({ doors }: Pick<Counts, "doors">): Omit<DoorCounts, "door"> {
  const zero = { open: 0, busy: 0, opened: 0, refused: 0, received: 0, sent: 0 };
  return doors.reduce((sum, row) => addDoors({ door: row.door, ...sum }, row), zero);
}

/** Returns the state of a node as tables show it. */
export function stateText({ state, bucket }: Pick<NodeStatus, "state" | "bucket">): string {
  return state === "running" && !bucket ? "running, no bucket" : state;
}

/** Adds up the rows that have the same key. */
function merged<T>(rows: readonly T[], keyOf: (row: T) => string, add: (a: T, b: T) => T): T[] {
  const sums = new Map<string, T>();
  for (const row of rows) {
    const sum = sums.get(keyOf(row));
    sums.set(keyOf(row), sum ? add(sum, row) : row);
  }
  return [...sums.values()];
}

function addDoors(a: DoorCounts, b: DoorCounts): DoorCounts {
  return {
    door: a.door,
    open: a.open + b.open,
    busy: a.busy + b.busy,
    opened: a.opened + b.opened,
    refused: a.refused + b.refused,
    received: a.received + b.received,
    sent: a.sent + b.sent,
  };
}

/** Adds two rows, also of nodes whose versions have other outcomes or fewer buckets. */
function addRequests(a: RequestCounts, b: RequestCounts): RequestCounts {
  const outcomes: Record<string, number> = { ...a.outcomes };
  for (const [outcome, n] of Object.entries(b.outcomes)) {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + n;
  }
  const [longer, shorter] = a.buckets.length >= b.buckets.length ? [a, b] : [b, a];
  return {
    door: a.door,
    verb: a.verb,
    count: a.count + b.count,
    outcomes,
    seconds: a.seconds + b.seconds,
    buckets: longer.buckets.map((n, i) => n + (shorter.buckets[i] ?? 0)),
  };
}
