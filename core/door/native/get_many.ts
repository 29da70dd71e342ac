/** Serves GET-MANY: small files in one body. Each succeeds or fails on its own. */
import { BargeError } from "../../error.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { wireErrors } from "../../protocol/failure.ts";
import { type Answer, batchLimits, type Request } from "../../protocol/message.ts";
import { readAgain, readSmall } from "../../session/get.ts";
import type { SmallFile } from "../../storage/content.ts";
import type { Access } from "../access.ts";
import { explain } from "../failure.ts";
import type { BodyState, UserContext } from "./context.ts";

/** The content of a file, a failure, or null if the content does not fit beside the others. */
type Outcome = SmallFile | BargeError | null;

/** @returns null, since it sends the answer itself */
export async function serveGetMany(
  c: UserContext,
  { paths }: Request<"get-many">,
  { access }: BodyState,
): Promise<null> {
  access.split = true;
  const accesses = paths.map((path) => c.access("get", path));
  const read = await readSmall(c.session, paths, batchLimits.bytes);
  const outcomes = read.map((outcome, i) => record(accesses[i], outcome, paths[i]));
  await refreshDigests(c, paths, outcomes);
  const failures = wireErrors(outcomes.filter((outcome) => outcome instanceof BargeError)).values();
  const files = outcomes.map((outcome) => {
    if (outcome === null) return null;
    if (outcome instanceof BargeError) return { error: failures.next().value! };
    const { bytes, modified, sha256, undigested } = outcome;
    const facts = { size: bytes.length, modified: new Date(modified).toISOString(), sha256 };
    return undigested ? { ...facts, undigested } : facts;
  });
  const contents = outcomes.filter(isFile).map(({ bytes }) => bytes);
  const body = contents.reduce((sum, { length }) => sum + length, 0);
  const answer: Answer<"get-many"> = { files, body };
  c.output.queue(encodeFrame({ ok: true, ...answer }));
  for (const bytes of contents) c.output.queue(bytes);
  c.output.queue(encodeFrame({ sha256: null, whole: true }));
  return null;
}

function isFile(outcome: Outcome): outcome is SmallFile {
  return outcome !== null && "bytes" in outcome;
}

/** Reads the files without a digest again. */
async function refreshDigests(
  c: UserContext,
  paths: readonly string[],
  outcomes: Outcome[],
): Promise<void> {
  const unsure = outcomes.flatMap((outcome, i) => isFile(outcome) && outcome.undigested ? [i] : []);
  const files = unsure.map((i) => [paths[i], outcomes[i] as SmallFile] as const);
  (await readAgain(c.session, files)).forEach((file, i) => outcomes[unsure[i]] = file);
}

/** Ends the record of a file in the access log. A file without room has none. */
function record(
  access: Access,
  outcome: SmallFile | BargeError | undefined,
  path: string,
): Outcome {
  if (outcome === undefined) return null;
  if (outcome instanceof BargeError) {
    const failed = explain(outcome, { op: "get", path });
    access.end(failed.kind);
    return failed;
  }
  access.bytes = outcome.bytes.length;
  access.end("ok");
  return outcome;
}
