/** The state of a server in the fields that PROTOCOL.md defines ("Status"). */
import type { RequestStats, Server } from "../protocol/message.ts";
import type { Renewal } from "../storage/acme.ts";
import { quantile, type RequestCounts } from "../watch/metrics.ts";
import type { CertificateState, Snapshot } from "./status.ts";

/** Returns the numbers of the server in the format of the answer. */
export function serverFields(snapshot: Omit<Snapshot, "gauges">): Server {
  const { version, started, now, workers, restarts, memory, doors, logins, accounts } = snapshot;
  const sum = (of: "open" | "opened" | "refused") => doors.reduce((all, door) => all + door[of], 0);
  const ended = (outcome: "ok" | "over-quota", verb?: string) =>
    snapshot.requests.filter((row) => verb === undefined || row.verb === verb)
      .reduce((all, { outcomes }) => all + (outcomes[outcome] ?? 0), 0);
  return {
    ...(snapshot.node && { node: snapshot.node.name }),
    version,
    started: time(started),
    now: time(now),
    workers,
    restarts,
    memory,
    connections: { open: sum("open"), opened: sum("opened"), refused: sum("refused") },
    doors: doors.filter(({ opened, refused }) => opened + refused > 0),
    logins,
    bans: { begun: snapshot.bans, active: snapshot.banned },
    overQuota: ended("over-quota"),
    accounts,
    uploads: { committed: ended("ok", "put"), ...snapshot.uploads },
    ...(snapshot.certificate && { certificate: certificateFields(snapshot.certificate) }),
  };
}

function certificateFields({ until, renewal }: CertificateState): Server["certificate"] {
  return {
    ...(until !== undefined && { until: time(until) }),
    ...(renewal && { renewal: renewalFields(renewal) }),
  };
}

function renewalFields({ domains, next, failures, failed }: Renewal) {
  return { domains, next, failures, ...(failed && { failed }) };
}

/** Returns the requests of one door and verb in the format of the answer. */
export function requestFields(
  { door, verb, count, outcomes, seconds, buckets }: RequestCounts,
): RequestStats {
  const [p50, p99] = [quantile(buckets, 0.5), quantile(buckets, 0.99)];
  return { door, verb, count, outcomes: outcomes as RequestStats["outcomes"], seconds, p50, p99 };
}

/** Returns a time in RFC 3339. @param ms since 1970 */
export function time(ms: number): string {
  return new Date(ms).toISOString();
}
