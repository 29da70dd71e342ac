/** Prints a server's status as text. */
import type { Status } from "../../core/client/status.ts";
import type { RequestStats, Server } from "../../core/protocol/message.ts";
import { print, printLine } from "../_term/out.ts";
import { counted } from "../_term/progress.ts";
import { formatDuration } from "../../core/duration.ts";
import { formatSize } from "../../core/size.ts";
import { minute, printTable, table } from "../_term/table.ts";
import { printable } from "../../core/protocol/printable.ts";

/** The most connections that are listed. */
const maxSessions = 20;

/** The state of one server, or the sums over several. */
type Numbers = Server & { readonly requests: readonly RequestStats[] };

/** @param before an earlier status of the same server, to print rates since then */
export function printStatus(now: Status, before?: Status): void {
  const node = now.node === undefined ? "" : `, node ${printable(now.node)}`;
  printSummary(
    ["up", `${formatDuration(since(now.started, now.now))}, barge ${now.version}${node}`],
    now,
    before,
  );
  printRequests(now);
  printSessions(now);
}

/** @param first the first row: a title and a text */
export function printSummary(
  first: readonly [string, string],
  now: Numbers,
  before?: Numbers,
): void {
  const { connections, uploads, accounts, logins, bans } = now;
  const [received, sent] = [total(now, "received"), total(now, "sent")];
  const restarts = now.restarts === 0 ? "" : ` (${counted(now.restarts, "restart")})`;
  const { opened, refused } = connections;
  const [used, reserved] = [formatSize(accounts.used), formatSize(accounts.reserved)];
  const open = now.doors.map(({ door, open }) => `${door} ${open}`).join(", ");
  const rows = [
    first,
    ["workers", `${now.workers}${restarts}, ${formatSize(now.memory)} of memory`],
    ["connections", `${connections.open} open (${open}), ${opened} in all, ${refused} refused`],
    ["files", `${formatSize(received)} received, ${formatSize(sent)} sent`],
    ...(before ? [["now", rates(now, before)]] : []),
    [
      "uploads",
      `${uploads.committed} committed, ${uploads.unfinished} unfinished (${uploads.moving} arriving now), ` +
      `${formatSize(uploads.staged)} reserved for them`,
    ],
    ["accounts", `${accounts.count}, ${used} used, ${reserved} reserved`],
    ["logins", `${logins.ok} ok, ${logins.failed} failed, ${counted(bans.begun, "ban")}`],
    ["refused", `${bans.active} banned now, ${now.overQuota} over quota`],
    ...certificateRows(now),
  ];
  for (const line of table(rows, [])) printLine(line);
}

function certificateRows({ certificate }: Numbers): string[][] {
  if (!certificate) return [];
  const { until, renewal } = certificate;
  const end = until === undefined ? "none yet" : `ends ${minute(until)}`;
  if (!renewal) return [["certificate", end]];
  const { domains, next, failures, failed } = renewal;
  const kind = failures > 0 ? "next try" : "renewal";
  const row = ["certificate", `${end}, ${kind} ${minute(next)}, for ${domains.join(", ")}`];
  if (!failed) return [row];
  const tries = failures === 1 ? "the last try" : `${failures} tries, the last`;
  return [row, ["", `failed: ${tries} at ${minute(failed.at)}: ${printable(failed.why)}`]];
}

export function printRequests({ requests }: Pick<Numbers, "requests">): void {
  if (requests.length === 0) return;
  print("");
  const rows = requests.toSorted((a, b) => b.count - a.count).map((row) => [
    row.door,
    row.verb,
    String(row.count),
    String(row.count - (row.outcomes.ok ?? 0)),
    milliseconds(row.p50),
    milliseconds(row.p99),
  ]);
  printTable(["DOOR", "VERB", "REQUESTS", "FAILED", "P50", "P99"], rows, [2, 3, 4, 5]);
}

function printSessions({ sessions, connections, now }: Status): void {
  print("");
  const rows = sessions.slice(0, maxSessions).map((
    { account, door, address, since: from, ...doing },
  ) => [
    account ?? "-",
    door,
    address,
    formatDuration(since(from, now)),
    activity(doing),
  ]);
  printTable(["ACCOUNT", "DOOR", "ADDRESS", "FOR", "DOES"], rows);
  const more = connections.open - rows.length;
  if (more > 0) print(`and ${more} more`);
}

function activity({ verb, path, bytes }: Pick<Status["sessions"][0], "verb" | "path" | "bytes">) {
  if (verb === null) return "idle";
  const parts = [printable(verb), path && printable(path), bytes > 0 && formatSize(bytes)];
  return parts.filter(Boolean).join(" ");
}

function rates(now: Numbers, before: Numbers): string {
  const seconds = Math.max(1, since(before.now, now.now)) / 1000;
  const speed = (way: "received" | "sent") =>
    `${formatSize(Math.max(0, total(now, way) - total(before, way)) / seconds)}/s`;
  const asked = Math.max(0, count(now) - count(before)) / seconds;
  return `${speed("received")} in, ${speed("sent")} out, ${asked.toFixed(1)} requests/s`;
}

function total({ doors }: Numbers, way: "received" | "sent"): number {
  return doors.reduce((sum, door) => sum + door[way], 0);
}

function count({ requests }: Numbers): number {
  return requests.reduce((sum, { count }) => sum + count, 0);
}

/** Returns the milliseconds between two times. */
export function since(from: string, to: string): number {
  return Math.max(0, Date.parse(to) - Date.parse(from));
}

function milliseconds(seconds: number): string {
  const ms = seconds * 1000;
  return ms < 10
    ? `${ms.toFixed(1)} ms`
    : ms < 10_000
    ? `${ms.toFixed(0)} ms`
    : `${seconds.toFixed(0)} s`;
}
