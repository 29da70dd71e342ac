/** Serves GET-MANY: small files in one body. Each succeeds or fails on its own. */
import type { BargeError } from "../../error.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { failuresOf } from "../../protocol/failure.ts";
import { many } from "../../protocol/many.ts";
import type { Answer, Request } from "../../protocol/message.ts";
import { readAgain, readSmall } from "../../session/get.ts";
import type { SmallFile } from "../../storage/content.ts";
import { explain } from "../failure.ts";
import type { BodyState, LoggedIn } from "./context.ts";
import { mustYield, yieldToOthers } from "./fairness.ts";

/** The outcome of one file: read, failed, or null if it does not fit beside the others. */
type Outcome = SmallFile | { readonly error: BargeError } | null;

/** @returns null, since it sends the answer itself */
export async function serveGetMany(
  c: LoggedIn,
  { paths }: Request<"get-many">,
  { access }: BodyState,
): Promise<null> {
  access.split = true;
  await c.session.check();
  const outcomes: Outcome[] = [];
  let body = 0;
  for (const [i, path] of paths.entries()) {
    if (mustYield(i)) await yieldToOthers();
    const outcome = await getOne(c, path, many.bytes - body);
    if (outcome && "bytes" in outcome) body += outcome.bytes.length;
    outcomes.push(outcome);
  }
  await refreshDigests(c, paths, outcomes);
  body = outcomes.reduce(
    (sum, outcome) => sum + (outcome && "bytes" in outcome ? outcome.bytes.length : 0),
    0,
  );
  const failures = failuresOf(
    outcomes.flatMap((outcome) => outcome && "error" in outcome ? [outcome.error] : []),
  )
    .values();
  const files = outcomes.map((outcome) => {
    if (outcome === null) return null;
    if ("error" in outcome) return { error: failures.next().value! };
    const { bytes, modified, sha256, undigested } = outcome;
    const facts = { size: bytes.length, modified: new Date(modified).toISOString(), sha256 };
    return undigested ? { ...facts, undigested } : facts;
  });
  const answer: Answer<"get-many"> = { files, body };
  c.output.queue(encodeFrame({ ok: true, ...answer }));
  for (const outcome of outcomes) if (outcome && "bytes" in outcome) c.output.queue(outcome.bytes);
  c.output.queue(encodeFrame({ sha256: null, whole: true }));
  return null;
}

/** Reads the digests again that were missing. */
async function refreshDigests(
  c: LoggedIn,
  paths: readonly string[],
  outcomes: Outcome[],
): Promise<void> {
  const unsure = outcomes.flatMap((outcome, i) =>
    outcome && "bytes" in outcome && outcome.undigested ? [i] : []
  );
  const files = unsure.map((i) => [paths[i], outcomes[i] as SmallFile] as const);
  (await readAgain(c.session, files)).forEach((file, i) => outcomes[unsure[i]] = file);
}

async function getOne(c: LoggedIn, path: string, room: number): Promise<Outcome> {
  const access = c.access("get", path);
  try {
    const small = await readSmall(c.session, path, room);
    if (!small) return null;
    access.bytes = small.bytes.length;
    access.end("ok");
    return small;
  } catch (error) {
    const failed = explain(error, { op: "get", path });
    access.end(failed.kind);
    return { error: failed };
  }
}
