/** Lists and drops the account's partial uploads. */
import { BargeError } from "../error.ts";
import { encodeFrame } from "../protocol/frame.ts";
import type { PartialUpload } from "../protocol/message.ts";
import { type Client, diskTimeoutMs } from "./client.ts";

/** The most partial uploads that a server may list. */
const maxPartials = 1_000_000;

/** Returns them, the oldest first. @throws {BargeError} `unsupported` by an older server */
export async function partials(client: Client): Promise<PartialUpload[]> {
  const frame = encodeFrame({ verb: "uploads" });
  const answer = client.answer(async (frames) => {
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
  answer.catch(() => {/* awaited below; sending may fail first */});
  await client.send(frame);
  await client.flush();
  return await answer;
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
