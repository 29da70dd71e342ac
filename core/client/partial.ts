/** Lists and drops the account's partial uploads. */
import { BargeError } from "../error.ts";
import type { PartialUpload } from "../protocol/message.ts";
import { type Client, diskTimeoutMs } from "./client.ts";

/** The most partial uploads that a server may list. */
const maxPartials = 1_000_000;

/**
 * Returns the account's partial uploads, the oldest first.
 *
 * @throws {BargeError} `unsupported` by an older server
 */
export async function partials(client: Client): Promise<PartialUpload[]> {
  return await client.request({ verb: "uploads" }, async (frames) => {
    const all: PartialUpload[] = [];
    for (let more = true; more;) {
      const page = await client.next("uploads", frames);
      more = page.more && page.uploads.length > 0;
      all.push(...page.uploads);
      if (all.length <= maxPartials) continue;
      throw new BargeError("protocol", "the server lists too many uploads", { op: "uploads" });
    }
    return all;
  });
}

/**
 * Drops the partial upload to a path; a file of that name stays. A connection that is sending it gets
 * an error.
 *
 * @throws {BargeError} `not-found` if there is none; `unsupported` by an older server
 */
export async function dropPartial(client: Client, path: string): Promise<void> {
  await client.ask("drop", { path }, diskTimeoutMs);
}
