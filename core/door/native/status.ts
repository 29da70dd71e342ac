/** Serves STATUS: a frame of the server's numbers, then frames of request counts, then of sessions. */
import type { RequestStats, Server, SessionStatus } from "../../protocol/message.ts";
import { quantile, type RequestCounts } from "../../watch/metrics.ts";
import type { ListedConnection } from "../../watch/roster.ts";
import { type Snapshot, status } from "../../session/status.ts";
import type { UserContext } from "./context.ts";
import { paged, sendPart } from "./pages.ts";

export async function serveStatus({ session, output }: UserContext): Promise<object> {
  const { snapshot, sessions } = await status(session);
  await sendPart(output, { server: server(snapshot), requests: [], sessions: [] });
  const counts = snapshot.requests.map(requests);
  await sendPart(output, await paged(output, [counts], "requests", { sessions: [] }));
  return await paged(output, [sessions.map(present)], "sessions", { requests: [] });
}

/** Returns the numbers of the server in the format of the answer. */
export function server(snapshot: Snapshot): Server {
  const { version, started, now, workers, restarts, memory, doors, logins, accounts } = snapshot;
  const sum = (of: "open" | "opened" | "refused") => doors.reduce((all, door) => all + door[of], 0);
  const ended = (outcome: "ok" | "over-quota", verb?: string) =>
    snapshot.requests.filter((row) => verb === undefined || row.verb === verb)
      .reduce((all, { outcomes }) => all + (outcomes[outcome] ?? 0), 0);
  return {
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
  };
}

function requests({ door, verb, count, outcomes, seconds, buckets }: RequestCounts): RequestStats {
  const [p50, p99] = [quantile(buckets, 0.5), quantile(buckets, 0.99)];
  return { door, verb, count, outcomes: outcomes as RequestStats["outcomes"], seconds, p50, p99 };
}

function present({ since, ...rest }: ListedConnection): SessionStatus {
  return { ...rest, since: time(since) };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
