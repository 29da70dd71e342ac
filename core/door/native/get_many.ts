/** GET-MANY: small files, their bytes one behind the other in one body. Each has its own fate. */
import type { BargeError } from "../../error.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { failuresOf } from "../../protocol/failure.ts";
import { many } from "../../protocol/many.ts";
import type { Answer, Request } from "../../protocol/message.ts";
import { lookAgain, readSmall, type Small } from "../../session/get.ts";
import { explain } from "../failure.ts";
import type { BodyState, LoggedIn } from "./context.ts";
import { isTheirTurn, theirTurn } from "./turn.ts";

/** What became of one: read, failed, or too large to fit in beside the others. */
type Fate = Small | { readonly error: BargeError } | null;

/** @returns null: it has answered itself */
export async function serveGetMany(
  c: LoggedIn,
  { paths }: Request<"get-many">,
  { access }: BodyState,
): Promise<null> {
  access.split = true;
  await c.session.check();
  const fates: Fate[] = [];
  let body = 0;
  for (const [i, path] of paths.entries()) {
    if (isTheirTurn(i)) await theirTurn();
    const fate = getOne(c, path, many.bytes - body);
    if (fate && "bytes" in fate) body += fate.bytes.length;
    fates.push(fate);
  }
  settle(c, paths, fates);
  body = fates.reduce((sum, fate) => sum + (fate && "bytes" in fate ? fate.bytes.length : 0), 0);
  const said = failuresOf(fates.flatMap((fate) => fate && "error" in fate ? [fate.error] : []))
    .values();
  const files = fates.map((fate) => {
    if (fate === null) return null;
    if ("error" in fate) return { error: said.next().value! };
    const { bytes, modified, sha256, undigested } = fate;
    const facts = { size: bytes.length, modified: new Date(modified).toISOString(), sha256 };
    return undigested ? { ...facts, undigested } : facts;
  });
  c.output.queue(encodeFrame({ ok: true, ...{ files, body } satisfies Answer<"get-many"> }));
  for (const fate of fates) if (fate && "bytes" in fate) c.output.queue(fate.bytes);
  c.output.queue(encodeFrame({ sha256: null, whole: true }));
  return null;
}

/** Looks again at the files that have no digest. */
function settle(c: LoggedIn, paths: readonly string[], fates: Fate[]): void {
  const unsure = fates.flatMap((fate, i) => fate && "bytes" in fate && fate.undigested ? [i] : []);
  const files = unsure.map((i) => [paths[i], fates[i] as Small] as const);
  lookAgain(c.session, files).forEach((small, at) => fates[unsure[at]] = small);
}

function getOne(c: LoggedIn, path: string, room: number): Fate {
  const access = c.access("get", path);
  try {
    const small = readSmall(c.session, path, room);
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
