import { BargeError } from "../error.ts";
import type { Answer, Request } from "../protocol/message.ts";
import type { Session } from "../login/session.ts";

/** Returns the stored digest of a file, or computes it. @throws {BargeError} `not-found`, `exists` (a folder) */
export async function digest(
  session: Session,
  { path, algorithm, fresh }: Request<"digest">,
  signal?: AbortSignal,
): Promise<Answer<"digest">> {
  await session.check();
  const { place } = session.locate(path);
  if (!place) throw new BargeError("exists", "it is a folder");
  const { tree } = session.store;
  const entry = await tree.entry(place);
  if (algorithm === "sha256" && !fresh && entry && entry.sha256 !== null) {
    return { algorithm, digest: entry.sha256, size: entry.size };
  }
  return { algorithm, ...await tree.digest(place, algorithm, signal) };
}
