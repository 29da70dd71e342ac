/** A file's digest: the stored one, or read from disk again. */
import { BargeError } from "../error.ts";
import type { Answer, Request } from "../protocol/message.ts";
import { digestFile } from "../local/vault/digest.ts";
import { sameFile } from "../local/entry.ts";
import type { Session } from "../login/session.ts";
import { look } from "../local/look.ts";

/** @throws {BargeError} `not-found`, `exists` (a folder) */
export async function digest(
  session: Session,
  { path, algorithm, fresh }: Request<"digest">,
  signal?: AbortSignal,
): Promise<Answer<"digest">> {
  session.checkNow();
  const { place } = session.locate(path);
  if (!place) throw new BargeError("exists", "it is a folder");
  const { found, row } = look(session.store, place);
  if (algorithm === "sha256" && !fresh && row && found && sameFile(row, found)) {
    return { algorithm, digest: row.sha256, size: row.size };
  }
  const read = await digestFile(session.store.vault, place, algorithm, Infinity, signal);
  return { algorithm, ...read };
}
