/** Finds, lists and drops an account's partial uploads. */
import { BargeError } from "../error.ts";
import { changeable, needAdd, needChange } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import { relative } from "../storage/place.ts";
import type { PartialUpload as StoredPartial, Uploads } from "../storage/uploads.ts";

/** The most bytes, from the start of a partial upload, by whose digest a client finds the file it was sending. */
const sampleBytes = 1024 * 1024;

export type PartialUpload = Omit<StoredPartial, "id" | "dir" | "name">;

/** Returns the account's upload to a path. @throws {BargeError} as `locate` */
export async function partialUpload(
  session: Session,
  path: string,
): Promise<PartialUpload | undefined> {
  const { id } = await session.account();
  return await session.store.uploads.partial(id, changeable(session.locate(path)));
}

/** Yields the account's uploads, also those under way; the oldest first. */
export async function* partialUploads(
  session: Session,
): AsyncGenerator<PartialUpload & { readonly path: string }, void, void> {
  await session.check();
  if (session.confined) return;
  const { id, name } = await session.account();
  for await (const partial of session.store.uploads.partials(id)) {
    const path = pathOf(partial, name);
    if (session.reaches(path)) yield { ...partial, path };
  }
}

/** A partial upload of known size, with the digest of its first bytes. */
export interface ResumableUpload extends Pick<PartialUpload, "offset" | "modified"> {
  readonly path: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** A number of bytes at its start, and their SHA-256 in hex. */
  readonly begins: { readonly bytes: number; readonly sha256: string };
}

/** Yields the account's uploads of known size that no connection writes now; the oldest first. */
export async function* resumableUploads(
  session: Session,
  signal?: AbortSignal,
): AsyncGenerator<ResumableUpload, void, void> {
  const { uploads } = session.store;
  const { id, name } = await session.account();
  for await (const partial of uploads.partials(id)) {
    const { size, offset, modified } = partial;
    const path = pathOf(partial, name);
    if (partial.busy || size === null || !session.reaches(path)) continue;
    const bytes = Math.min(offset, sampleBytes);
    const sha256 = await uploads.sample(partial.id, bytes, signal);
    if (sha256 === undefined) continue;
    yield { path, size, offset, modified, begins: { bytes, sha256 } };
  }
}

/**
 * Returns the file that the account's last recorded upload to a path (`UploadRequest.recorded`) has become,
 * and the time when that record expires, in ms since 1970. A file that was replaced by other bytes, moved
 * or removed since does not count, nor does another account's.
 *
 * @throws {BargeError} as `locate`
 */
export async function finishedUpload(
  session: Session,
  path: string,
): ReturnType<Uploads["finished"]> {
  const { id } = await session.account();
  return await session.store.uploads.finished(id, changeable(session.locate(path)));
}

/**
 * Drops the account's uploads to a path, also those under way, but no file of that name.
 *
 * @throws {BargeError} `not-found`; `denied` to a token that can't do that
 */
export async function dropPartialUpload(session: Session, path: string): Promise<void> {
  needAdd(session);
  const place = changeable(session.locate(path));
  const { id } = await session.account();
  // An upload that will replace a file is not one of a new name.
  if (await session.store.tree.entry(place)) needChange(session);
  if (await session.store.uploads.dropAt(id, place) > 0) return;
  throw new BargeError("not-found", "there is no unfinished upload", { path });
}

function pathOf(partial: StoredPartial, account: string): string {
  return `/${relative(partial).replace(`homes/${account}/`, "home/")}`;
}
