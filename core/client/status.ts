/** Gets the server's status. For admins. */
import { BargeError } from "../error.ts";
import type { RequestStats, Server, SessionStatus } from "../protocol/message.ts";
import type { Client } from "./client.ts";

export interface Status extends Server {
  /** The counts of requests, a row for each door and verb. */
  readonly requests: readonly RequestStats[];
  /** At most 1000 open connections, those with a request under way first. */
  readonly sessions: readonly SessionStatus[];
}

const maxRows = 10_000;

/** @throws {BargeError} `denied` without the role admin; `unsupported` by an older server */
export async function status(client: Client): Promise<Status> {
  return await client.request({ verb: "status" }, async (frames) => {
    let server: Server | undefined;
    const requests: RequestStats[] = [];
    const sessions: SessionStatus[] = [];
    for (let more = true; more;) {
      const page = await client.next("status", frames);
      more = page.more;
      server ??= page.server;
      requests.push(...page.requests);
      sessions.push(...page.sessions);
      if (!server || requests.length + sessions.length > maxRows) {
        throw new BargeError("protocol", "the server's status has no numbers or too many rows", {
          op: "status",
        });
      }
    }
    return { ...server!, requests, sessions };
  });
}
