/**
 * Formats the metrics for Prometheus: text exposition format 0.0.4, base units, counters that end in
 * `_total`, histograms with cumulative buckets.
 */
import { type Kind, kinds } from "../error.ts";
import { type DoorCounts, latencyBoundsSeconds } from "../watch/metrics.ts";
import type { Snapshot } from "../session/status.ts";
import { nearQuotaShare } from "../storage/account_rules.ts";

/** The value of the Content-Type header. */
export const prometheusType = "text/plain; version=0.0.4; charset=utf-8";

/** The end of the help of a number that every node shows. */
const sameAtEach = "Of all nodes, the same at each: do not add them up.";

const nearQuotaHelp = `Accounts that fill ${nearQuotaShare * 100} % of their quota.`;

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];
type Family = readonly [name: string, help: string, samples: number | readonly Sample[]];

export function prometheus(snapshot: Snapshot): string {
  const { doors, logins, node, version } = snapshot;
  const used = doors.filter(({ opened, refused }) => opened + refused > 0);
  const byDoor = (count: Exclude<keyof DoorCounts, "door">): Sample[] =>
    used.map((row) => [{ door: row.door }, row[count]]);
  const requests = snapshot.requests.flatMap(({ door, verb, outcomes }) =>
    Object.entries(outcomes).map(([outcome, n]): Sample => [{ door, verb, outcome }, n])
  );
  // Each kind has a sample before its first error: `increase` does not see how a new series begins.
  const errors = Object.keys(kinds).map((kind): Sample => {
    const n = snapshot.requests.reduce((sum, row) => sum + (row.outcomes[kind as Kind] ?? 0), 0);
    return [{ kind }, n];
  });
  const byOutcome: Sample[] = [[{ outcome: "ok" }, logins.ok], [
    { outcome: "failed" },
    logins.failed,
  ]];
  const families: Family[] = [
    ["build_info", "Always 1; the version is its label.", [[{ version }, 1]]],
    ...(node ? [nodeInfo(node.name, version)] : []),
    ...nodeFamilies(snapshot),
    ["start_time_seconds", "When the server started, since 1970.", snapshot.started / 1000],
    ["resident_memory_bytes", "Memory of the process.", snapshot.memory],
    ...gaugeFamilies(snapshot),
    ["workers", "Workers that serve.", snapshot.workers],
    ["worker_restarts_total", "Workers that were started again.", snapshot.restarts],
    ["connections", "Connections that are open.", byDoor("open")],
    ["busy_connections", "Open connections with a request under way.", byDoor("busy")],
    ["connections_total", "Connections that were accepted.", byDoor("opened")],
    ["connections_refused_total", "Connections that were refused.", byDoor("refused")],
    ["received_bytes_total", "Bytes of files that were received.", byDoor("received")],
    ["sent_bytes_total", "Bytes of files that were sent.", byDoor("sent")],
    ["requests_total", "Requests, by outcome.", requests],
    ["errors_total", "Requests that failed, by the kind of the error.", errors],
    ["logins_total", "Logins.", byOutcome],
    ["bans_total", "Bans that began.", snapshot.bans],
    ...storeFamilies(snapshot),
  ];
  return families.map(([name, help, samples]) => family(`barge_${name}`, help, samples)).join("") +
    durations(snapshot);
}

function nodeInfo(node: string, version: string): Family {
  const help = "Always 1; the labels are the node's name and version.";
  return ["node_info", help, [[{ node, version }, 1]]];
}

function nodeFamilies({ nodeCounts }: Snapshot): Family[] {
  if (!nodeCounts) return [];
  const samples = Object.entries(nodeCounts).map(([state, n]): Sample => [{ state }, n]);
  return [["cluster_nodes", `Nodes, by state. ${sameAtEach}`, samples]];
}

/** The values that the supervisor measures, where they apply. */
function gaugeFamilies({ gauges }: Snapshot): Family[] {
  const { certificateEnd, certificateRenewal, certificateFailures } = gauges;
  const { diskSize, diskAvailable, eventsOldest, spansExported, spansDropped } = gauges;
  const seconds = (ms: number | undefined) => ms === undefined ? undefined : ms / 1000;
  const families: [name: string, help: string, value: number | undefined][] = [
    [
      "certificate_expiry_timestamp_seconds",
      "When the certificate ends, since 1970.",
      seconds(certificateEnd),
    ],
    [
      "certificate_renewal_timestamp_seconds",
      "When the next try to renew the certificate by ACME is, since 1970.",
      seconds(certificateRenewal),
    ],
    [
      "certificate_renewal_failures",
      "Tries to renew the certificate that failed since the last success.",
      certificateFailures,
    ],
    ["disk_size_bytes", "Size of the file system of the data directory.", diskSize],
    ["disk_available_bytes", "Bytes that are free there.", diskAvailable],
    ["events_waiting", "Events that this server is to deliver.", gauges.eventsWaiting],
    ["events_failing", "Those of them that a target did not take.", gauges.eventsFailing],
    [
      "events_oldest_timestamp_seconds",
      "When the oldest of them happened, since 1970; absent if none waits.",
      seconds(eventsOldest),
    ],
    ["events_delivered_total", "Events that a target took.", gauges.eventsDelivered],
    ["event_failures_total", "Attempts to deliver an event that failed.", gauges.eventFailures],
    ["events_dropped_total", "Events that were dropped undelivered.", gauges.eventsDropped],
    ["verify_interval_seconds", "From a verification to the next.", seconds(gauges.verifyInterval)],
    [
      "verify_finished_timestamp_seconds",
      "When the last verification of all files ended, since 1970.",
      seconds(gauges.verifyFinished),
    ],
    [
      "verify_due_timestamp_seconds",
      "When the verification that is next, or under way, was due, since 1970.",
      seconds(gauges.verifyDue),
    ],
    ["verify_files", "Files that the verification has read.", gauges.verifyFiles],
    ["verify_read_bytes", "Bytes that the verification has read.", gauges.verifyBytes],
    ["verify_bad_files", "Damaged, missing or unreadable files that it found.", gauges.verifyBad],
    ["trace_spans_exported_total", "Spans that the collector of traces has taken.", spansExported],
    ["trace_spans_dropped_total", "Spans that were dropped, since no room was left.", spansDropped],
  ];
  return families.flatMap(([name, help, value]): Family[] =>
    value === undefined ? [] : [[name, help, value]]
  );
}

/** The sums of the storage. Nodes that share it all show the same ones, under names of their own. */
function storeFamilies({ node, banned, nearQuota, accounts, uploads }: Snapshot): Family[] {
  const families: [name: string, help: string, value: number][] = [
    ["bans", "Bans that are active.", banned],
    ["accounts", "Accounts.", accounts.count],
    ["accounts_near_quota", nearQuotaHelp, nearQuota],
    ["used_bytes", "Bytes of files charged to accounts.", accounts.used],
    ["reserved_bytes", "Bytes reserved for uploads.", accounts.reserved],
    ["unfinished_uploads", "Uploads that are not committed.", uploads.unfinished],
    ["moving_uploads", "Uploads that a client is sending.", uploads.moving],
    ["staged_bytes", "Bytes reserved for uploads that are not committed.", uploads.staged],
  ];
  if (!node) return families;
  return families.map(([name, help, value]) => [
    `cluster_${name}`,
    `${help} ${sameAtEach}`,
    value,
  ]);
}

function durations({ requests }: Snapshot): string {
  const name = "barge_request_duration_seconds";
  const lines = requests.flatMap(({ door, verb, buckets, seconds, count }) => {
    let sum = 0;
    const rows = buckets.map((n, i) => {
      const le = number(latencyBoundsSeconds[i] ?? Infinity);
      return line(`${name}_bucket`, { door, verb, le }, sum += n);
    });
    const labels = { door, verb };
    return [...rows, line(`${name}_sum`, labels, seconds), line(`${name}_count`, labels, count)];
  });
  return head(name, "histogram", "From a request's arrival to its answer.") + lines.join("");
}

function family(name: string, help: string, samples: number | readonly Sample[]): string {
  const rows = typeof samples === "number" ? [[{}, samples]] as const : samples;
  return head(name, name.endsWith("_total") ? "counter" : "gauge", help) +
    rows.map(([labels, value]) => line(name, labels, value)).join("");
}

function head(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${number(value)}\n`;
}

/** Escapes the three special characters of a label's value. */
function escape(text: string): string {
  return text.replace(/[\\"\n]/g, (c) => c === "\n" ? "\\n" : `\\${c}`);
}

/** Formats a number for Go's ParseFloat. */
function number(value: number): string {
  return value === Infinity ? "+Inf" : String(value);
}
