/** Serves STATUS: a frame of the server's numbers, then frames of request counts, then of sessions. */
import type { SessionStatus } from "../../protocol/message.ts";
import type { ListedConnection } from "../../watch/roster.ts";
import { status } from "../../session/status.ts";
import { requestFields, serverFields, time } from "../../session/status_fields.ts";
import type { UserContext } from "./context.ts";
import { paged, sendPart } from "./pages.ts";

export async function serveStatus({ session, output }: UserContext): Promise<object> {
  const { snapshot, sessions } = await status(session);
  await sendPart(output, { server: serverFields(snapshot), requests: [], sessions: [] });
  const counts = snapshot.requests.map(requestFields);
  await sendPart(output, await paged(output, [counts], "requests", { sessions: [] }));
  return await paged(output, [sessions.map(present)], "sessions", { requests: [] });
}

function present({ since, ...rest }: ListedConnection): SessionStatus {
  return { ...rest, since: time(since) };
}
