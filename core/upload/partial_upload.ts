/** An account's partial uploads: for clients that resume one by its path, list them, or drop one. */
import { BargeError } from "../error.ts";
import { changeable } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import { relative } from "../storage/place.ts";
import type { PartialUpload as StoredPartial } from "../storage/uploads.ts";

/** Bytes at the start of a partial upload whose digest tells which file it belongs to. */
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
    yield { ...partial, path: pathOf(partial, name) };
  }
}

/** A partial upload with the digest of its beginning. */
export interface SampledUpload {
  readonly path: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Bytes that can be resumed. */
  readonly offset: number;
  /** The time that the file will have, in ms since 1970, if one was given. */
  readonly modified: number | null;
  /** A number of bytes at its start, and their SHA-256 in hex. */
  readonly begins: { readonly bytes: number; readonly sha256: string };
}

/** Yields the account's uploads of known size that nobody writes now; the oldest first. */
export async function* sampledUploads(
  session: Session,
  signal?: AbortSignal,
): AsyncGenerator<SampledUpload, void, void> {
  const { uploads } = session.store;
  const { id, name } = await session.account();
  for await (const partial of uploads.partials(id)) {
    const { size, offset, modified } = partial;
    if (partial.busy || size === null) continue;
    const bytes = Math.min(offset, sampleBytes);
    const sha256 = await uploads.sample(partial.id, bytes, signal);
    if (sha256 === undefined) continue;
    yield { path: pathOf(partial, name), size, offset, modified, begins: { bytes, sha256 } };
  }
}

/** The file that an account's last upload to a path has become. */
export interface FinishedUpload {
  readonly size: number;
  /** The time when it is forgotten that it was an upload, in ms since 1970. */
  readonly expires: number;
}

/**
 * Finds out whether the account's last recorded upload to a path (`UploadRequest.recorded`) is the file
 * there: the account's own, with the same digest. A file that was replaced by other bytes, moved or
 * removed since does not count, nor does another account's.
 *
 * @throws {BargeError} as `locate`
 */
export async function finishedUpload(
  session: Session,
  path: string,
): Promise<FinishedUpload | undefined> {
  const { id } = await session.account();
  return await session.store.uploads.finished(id, changeable(session.locate(path)));
}

/**
 * Drops the account's uploads to a path. A connection that writes one fails then; a file of that name
 * stays.
 *
 * @throws {BargeError} `not-found`
 */
export async function dropPartialUpload(session: Session, path: string): Promise<void> {
  const place = changeable(session.locate(path));
  const { id } = await session.account();
  if (await session.store.uploads.dropAt(id, place) > 0) return;
  throw new BargeError("not-found", "there is no unfinished upload", { path });
}

function pathOf(partial: StoredPartial, account: string): string {
  return `/${relative(partial).replace(`homes/${account}/`, "home/")}`;
}
