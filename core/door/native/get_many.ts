/** Serves GET-MANY: small files in one body. Each succeeds or fails on its own. */
import { BargeError } from "../../error.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { wireErrors } from "../../protocol/failure.ts";
import { type Answer, batchLimits, type Request } from "../../protocol/message.ts";
import { readAgain, readSmall } from "../../session/get.ts";
import type { SmallFile } from "../../storage/content.ts";
import { explain } from "../failure.ts";
import type { BodyState, UserContext } from "./context.ts";
import { takeTurns } from "./fairness.ts";

/** The content of a file, a failure, or null if the content does not fit beside the others. */
type Outcome = SmallFile | BargeError | null;

/** @returns null, since it sends the answer itself */
export async function serveGetMany(
  c: UserContext,
  { paths }: Request<"get-many">,
  { access }: BodyState,
): Promise<null> {
  access.split = true;
  await c.session.check();
  const outcomes: Outcome[] = [];
  let room = batchLimits.bytes;
  for (const [i, path] of paths.entries()) {
    await takeTurns(i + 1);
    const outcome = await getOne(c, path, room);
    if (isFile(outcome)) room -= outcome.bytes.length;
    outcomes.push(outcome);
  }
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

async function getOne(c: UserContext, path: string, room: number): Promise<Outcome> {
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
    return failed;
  }
}
