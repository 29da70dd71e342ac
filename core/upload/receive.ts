/**
 * Receives files: for every door, for batches and for copies.
 *
 *   receive -> gathering -> committed                     a small file, whole, in memory until then
 *                       \-> staged                        more bytes arrived, or the body was cut
 *          \-> staged -> committed                        acknowledged, on disk, charged
 *                    \-> detached                         cut off: a partial upload, which can be resumed
 *                    \-> dropped                          wrong digest, refused, no room, cancelled
 *                    \-> lost                             taken over, or removed with its folder
 *   receiveWhole -> committed                             a small file whose bytes have all arrived
 *
 * Gathering (gathering.ts): an upload that begins with no bytes, is not announced, and whose size is
 * small or unknown. Nothing is reserved. Up to `smallBodyBytes` stay in memory; uploads that commit at
 * the same time share transactions and syncs.
 *
 * Staged (staged_upload.ts): storage has a row, a reservation and staged bytes, and a newer connection
 * can take the upload over. A gathering upload is staged by its first byte beyond the threshold, by a
 * write elsewhere than at its end, and by a cut if no other upload to the path exists.
 *
 * Invariants:
 *   - A file is acknowledged only after the commit, which checks rights and conditions in the step that
 *     gives the file its name. Earlier checks only save bytes and time.
 *   - Calls are carried out in their order, however they overlap.
 *   - Every upload ends once: by commit, detach or drop. Later ends do nothing.
 *   - The bytes of an announced upload of known size are reserved before its first byte arrives.
 *
 * Failures, and the result of each:
 *   rights, conditions, folder   reported before the first byte, or by the commit of a small file. If the
 *                                quota has no room either, this failure is reported, not `over-quota`
 *   no room in the quota         `over-quota` by `receive`, by a write, or by the commit of a small file;
 *                                the upload is dropped, and its room is free again
 *   the client is cut off        a partial upload, at most with the bytes before the first gap
 *   the digest does not match    `digest`, dropped
 *   the check of the operator    refused: dropped; failed: detached; a small file: dropped
 *   taken over                   every call fails with `unavailable`; the new holder's bytes stay
 *   the server dies              before the seal a partial upload; after it the file, or a partial
 *                                upload; never a part of a file (core/repair)
 */
import { changeable, writeGuard } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import type { StoredEntry } from "../storage/entry.ts";
import type { StoredFile } from "../storage/uploads.ts";
import { beginStaged } from "./begin.ts";
import { checkFileTime } from "./file_time.ts";
import { Gathering, smallBodyBytes } from "./gathering.ts";
import type { Incoming } from "./incoming.ts";
import type { UploadRequest, UploadTarget } from "./request.ts";
import { storeWhole } from "./store_whole.ts";

/**
 * Begins to receive a file.
 *
 * @throws {BargeError} `usage` for a path or time that no file can have, and for fewer bytes than the
 *   base asks for; as `checkWrite`; `over-quota` where room is reserved now; `unavailable` when another
 *   connection took the upload over meanwhile
 */
export async function receive(session: Session, request: UploadRequest): Promise<Incoming> {
  const target = targetOf(session, request);
  if (!isGathered(request)) {
    return await beginStaged(target, await checkNow(target));
  }
  await checkWhereWorthwhile(target);
  return new Gathering(target);
}

/**
 * Receives a file whose bytes have all arrived. A small file needs no upload that gathers them.
 *
 * @param bytes of the declared size, which must not change any more
 * @param sha256, gone as of `Incoming.commit`
 * @throws {BargeError} as {@link receive} and `Incoming.commit`; the bytes are dropped
 */
export async function receiveWhole(
  session: Session,
  request: UploadRequest,
  bytes: Uint8Array,
  sha256: string | null,
  gone?: AbortSignal,
): Promise<StoredFile> {
  // The operator's check reads staged bytes.
  if (isGathered(request) && !session.store.hooks.check) {
    const target = targetOf(session, request);
    await checkWhereWorthwhile(target);
    return await storeWhole(target, bytes, sha256, true);
  }
  const upload = await receive(session, request);
  try {
    await upload.write(bytes, true);
    return await upload.commit(sha256, true, gone);
  } finally {
    await upload.drop();
  }
}

/** Checks an upload before its bytes are stored, where that takes less time than to store and drop them. */
function checkWhereWorthwhile(target: UploadTarget): Promise<unknown> | undefined {
  const { session, request } = target;
  // A small body takes less time than a second check. One of unknown size may become large. One that its
  // token can't write must not drop the partial upload of another login to the path.
  const limited = session.scope.access !== "full";
  if (request.size === null || request.overwrite !== "always" || limited) return checkNow(target);
}

/** Checks a request. @throws {BargeError} for a path that can't be written, or a time that no file can have */
function targetOf(session: Session, request: UploadRequest): UploadTarget {
  const location = session.locate(request.path);
  const place = changeable(location);
  checkFileTime(request.modified, request.path);
  return { session, request, location, place };
}

function isGathered({ base, size, reserve, announced }: UploadRequest): boolean {
  const fresh = base === undefined ? size === null : base === "fresh" || base === 0;
  return fresh && !announced && reserve === undefined && (size ?? 0) <= smallBodyBytes;
}

async function checkNow(target: UploadTarget): Promise<StoredEntry | undefined> {
  const { session, location, request } = target;
  return await session.store.tree.check(writeGuard(session, location, request.overwrite));
}
