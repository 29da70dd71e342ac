/** The state of the server: for admins, at every door. */
import type { Counts, Gauges } from "../watch/metrics.ts";
import { countNodes, type NodeCounts, type NodeIdentity, type NodeList } from "../watch/nodes.ts";
import type { ListedConnection } from "../watch/roster.ts";
import type { Session } from "../login/session.ts";
import type { Service } from "../login/service.ts";
import type { Totals } from "../storage/accounts.ts";
import { readRenewal, type Renewal } from "../storage/acme.ts";
import { asAdmin } from "./admin.ts";

/** The certificate of the doors with TLS. */
export interface CertificateState {
  /** Its end, in ms since 1970; undefined before the first certificate by ACME of a cluster. */
  readonly until?: number;
  /** The state of its renewal by ACME; undefined without ACME. */
  readonly renewal?: Renewal;
}

/** All counts and sums at one moment, as plain data. */
export interface Snapshot extends Counts, Totals {
  /** The node whose counts these are; the sums are those of all nodes. Undefined on one machine. */
  readonly node?: NodeIdentity;
  /** The number of nodes in each state. Undefined on one machine. */
  readonly nodeCounts?: NodeCounts;
  readonly gauges: Gauges;
  /** Undefined without TLS. */
  readonly certificate?: CertificateState;
  /** The version of the program; empty if it is not known. */
  readonly version: string;
  /** The time, in ms since 1970. */
  readonly now: number;
  /** Bytes of memory of the whole process. */
  readonly memory: number;
}

export interface Status {
  readonly snapshot: Snapshot;
  /** At most 1000 connections; `snapshot.doors` counts all of them. */
  readonly sessions: readonly ListedConnection[];
}

/** Returns the state, with the connections of all workers. @throws {BargeError} `denied` unless admin */
export async function status(session: Session): Promise<Status> {
  const store = await asAdmin(session, { worksOffline: false });
  const sessions = await store.roster.everywhere();
  return { snapshot: await snapshot(store), sessions };
}

/** Returns the snapshot only, without a message to other workers. @throws {BargeError} as {@link status} */
export async function statusSnapshot(session: Session): Promise<Snapshot> {
  return await snapshot(await asAdmin(session, { worksOffline: false }));
}

/**
 * Checks that clients should be sent to this server: that the database answers, and on shared storage as
 * `NodeList.checkReady`.
 *
 * @throws {BargeError} if not
 */
export async function checkReady({ people, nodes }: Service): Promise<void> {
  if (nodes) await nodes.checkReady();
  else await people.accounts.byId(0);
}

/** The nodes that share the storage. */
export type NodeTable = Awaited<ReturnType<NodeList["list"]>>;

/** Returns the nodes; undefined on one machine. @throws {BargeError} `denied` unless admin */
export async function listNodes(session: Session): Promise<NodeTable | undefined> {
  return await (await asAdmin(session, { worksOffline: false })).nodes?.list();
}

/** Returns the snapshot without a login, for the listener that the operator opened for metrics. */
export async function snapshot(
  { acme, metrics, people, settings, nodes }: Service,
): Promise<Snapshot> {
  const gauges = metrics.gauges();
  const { certificateEnd: until, certificateRenewal } = gauges;
  const renewal = certificateRenewal === undefined ? undefined : await readRenewal(acme);
  return {
    ...metrics.snapshot(),
    gauges,
    certificate: until === undefined ? undefined : { until, renewal },
    node: nodes?.own,
    nodeCounts: nodes && countNodes((await nodes.list()).nodes),
    version: settings.version ?? "",
    now: Date.now(),
    memory: Deno.memoryUsage().rss,
    ...await people.accounts.totals(),
  };
}
