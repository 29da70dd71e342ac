/**
 * Formats the metrics for Prometheus: text exposition format 0.0.4, base units, counters that end in
 * `_total`, histograms with cumulative buckets.
 */
import { bounds, type DoorCounts } from "../watch/metrics.ts";
import type { Snapshot } from "../session/status.ts";

/** The value of the Content-Type header. */
export const prometheusType = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

export function prometheus(snapshot: Snapshot): string {
  const { doors, requests, logins, uploads, accounts } = snapshot;
  const used = doors.filter(({ opened, refused }) => opened + refused > 0);
  const byDoor = (what: Exclude<keyof DoorCounts, "door">): Sample[] =>
    used.map((row) => [{ door: row.door }, row[what]]);
  const one = (value: number): Sample[] => [[{}, value]];
  const counts = requests.flatMap(({ door, verb, outcomes }) =>
    Object.entries(outcomes).map(([outcome, n]): Sample => [{ door, verb, outcome }, n])
  );
  return [
    family("barge_build_info", "gauge", "Always 1; the version is its label.", [
      [{ version: snapshot.version }, 1],
    ]),
    family("barge_start_time_seconds", "gauge", "When the server started, since 1970.", [
      [{}, snapshot.started / 1000],
    ]),
    family("barge_resident_memory_bytes", "gauge", "Memory of the process.", one(snapshot.memory)),
    family("barge_workers", "gauge", "Isolates that serve.", one(snapshot.workers)),
    family(
      "barge_worker_restarts_total",
      "counter",
      "Workers that were started again.",
      one(snapshot.restarts),
    ),
    family("barge_connections", "gauge", "Connections that are open.", byDoor("open")),
    family("barge_connections_total", "counter", "Connections let in.", byDoor("opened")),
    family(
      "barge_connections_refused_total",
      "counter",
      "Connections turned away.",
      byDoor("refused"),
    ),
    family(
      "barge_received_bytes_total",
      "counter",
      "Bytes of files that came in.",
      byDoor("received"),
    ),
    family(
      "barge_sent_bytes_total",
      "counter",
      "Bytes of files that went out.",
      byDoor("sent"),
    ),
    family("barge_requests_total", "counter", "Requests, by what became of them.", counts),
    durations(snapshot),
    family("barge_logins_total", "counter", "Logins.", [
      [{ outcome: "ok" }, logins.ok],
      [{ outcome: "failed" }, logins.failed],
    ]),
    family("barge_bans_total", "counter", "Bans that began.", one(snapshot.bans)),
    family("barge_bans", "gauge", "Bans that hold.", one(snapshot.banned)),
    family("barge_accounts", "gauge", "Accounts.", one(accounts.count)),
    family("barge_used_bytes", "gauge", "Bytes of files charged to accounts.", one(accounts.used)),
    family("barge_reserved_bytes", "gauge", "Bytes reserved for uploads.", one(accounts.reserved)),
    family(
      "barge_unfinished_uploads",
      "gauge",
      "Uploads not committed yet.",
      one(uploads.unfinished),
    ),
    family(
      "barge_moving_uploads",
      "gauge",
      "Uploads that somebody sends now.",
      one(uploads.moving),
    ),
    family("barge_staged_bytes", "gauge", "Bytes of unfinished uploads.", one(uploads.staged)),
  ].join("");
}

function durations({ requests }: Snapshot): string {
  const name = "barge_request_duration_seconds";
  const lines = requests.flatMap(({ door, verb, buckets, seconds, count }) => {
    let sum = 0;
    const rows = buckets.map((n, i) => {
      sum += n;
      return line(`${name}_bucket`, { door, verb, le: number(bounds[i] ?? Infinity) }, sum);
    });
    return [
      ...rows,
      line(`${name}_sum`, { door, verb }, seconds),
      line(`${name}_count`, { door, verb }, count),
    ];
  });
  return head(name, "histogram", "From a request's arrival to its answer.") + lines.join("");
}

function family(name: string, type: string, help: string, samples: readonly Sample[]): string {
  return head(name, type, help) +
    samples.map(([labels, value]) => line(name, labels, value)).join("");
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
