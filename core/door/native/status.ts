/** Serves STATUS: the server's numbers, then frames of request counts, then frames of sessions. */
import { encodeFrame } from "../../protocol/frame.ts";
import type { Asked, Present, Server } from "../../protocol/message.ts";
import { quantile, type RequestCounts } from "../../watch/metrics.ts";
import type { Present as Session } from "../../watch/roster.ts";
import { type Snapshot, status } from "../../session/status.ts";
import type { LoggedIn } from "./context.ts";
import { paged } from "./pages.ts";

export async function serveStatus(c: LoggedIn): Promise<object> {
  const { snapshot, sessions } = await status(c.session);
  const send = (frame: object) => c.output.write(encodeFrame({ ok: true, ...frame }));
  await send({ server: server(snapshot), requests: [], sessions: [], more: true });
  const last = await paged([snapshot.requests.map(requests)], "requests", { sessions: [] }, send);
  await send({ ...last, more: true });
  return await paged([sessions.map(session)], "sessions", { requests: [] }, send);
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

function requests({ door, verb, count, outcomes, seconds, buckets }: RequestCounts): Asked {
  const [p50, p99] = [quantile(buckets, 0.5), quantile(buckets, 0.99)];
  return { door, verb, count, outcomes: outcomes as Asked["outcomes"], seconds, p50, p99 };
}

function session({ since, ...rest }: Session): Present {
  return { ...rest, since: time(since) };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
