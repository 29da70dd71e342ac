/**
 * Writing a file: reserved, staged, verified, published.
 *
 * An upload that asks to continue takes up the account's newest unfinished one to that path, also from
 * a connection that still writes it: a connection that is dead looks like one that is slow, and whoever
 * comes second knows better. These are the steps, in this order:
 *
 *   1. the row gets the new holder, in one transaction: the former one can't reserve, seal, detach or
 *      drop any more
 *   2. the former one's fence is raised, and a write of its that is under way is waited for
 *   3. the new holder takes a fence of its own, and looks whether it still is the holder: whoever took
 *      the upload over in between either found this fence, or is found by this look
 *   4. only now what is staged is measured, and opened
 *
 * Where step 2 can't be sure that the last write has landed (its worker is dead, its disk is stuck),
 * the staged bytes are read back before they become a file. An upload that starts afresh is given
 * nothing: it drops what nobody writes, and races with what somebody does. What becomes of it from
 * there: upload.ts.
 */
import { randomUUID } from "node:crypto";
import type { Declared, UploadRow } from "../local/ledger/reservation.ts";
import { BargeError } from "../error.ts";
import { borrow, giveBack } from "../disk/buffer_pool.ts";
import type { Location } from "../storage/path.ts";
import type { Fence } from "../local/vault/fences.ts";
import { Staged } from "../local/vault/staged.ts";
import { changeable, checkWrite, type When } from "../login/access.ts";
import { checkFileTime } from "./file_time.ts";
import { openDownload } from "../local/download.ts";
import { lost } from "./lost.ts";
import { continuable, discardDropped, giveUp, letGo } from "../local/partial_upload.ts";
import { makeHeartbeat } from "./heartbeat.ts";
import type { Session } from "../login/session.ts";
import type { Store } from "../local/store.ts";
import { Upload } from "./upload.ts";

export interface PutRequest {
  readonly path: string;
  /** The whole file's bytes; null when unknown. */
  readonly size: number | null;
  /** The time that the file is to have, in ms since 1970; null: when it was written. */
  readonly modified: number | null;
  readonly overwrite: When;
  /** Its first bytes. Default: the unfinished upload if the size is known, else none. */
  readonly base?: Base;
  /** Bytes to reserve at once where the size is not known: no promise that they will come. */
  readonly reserve?: number;
  /** What is there already is read only when all of it is: `prefix` can't be told. */
  readonly unread?: boolean;
  /** Are its bytes those of a file here? Then they need no check. */
  readonly copied?: boolean;
  /** Is it begun only to keep what has arrived already? Then no other upload gives way to it. */
  readonly remains?: boolean;
  /**
   * Is it recorded that the upload was finished, for {@link finishedUpload}? That the last one to
   * that path was, is forgotten when this one begins. Default: no.
   */
  readonly recorded?: boolean;
}

/**
 * What an upload begins with.
 *
 *   fresh   nothing
 *   old     the file; without one, the unfinished upload; without that, nothing
 *   staged  the unfinished upload, or nothing; also where the size is not known
 *   N       the first N bytes of the unfinished upload, or of the file where the upload has fewer
 *   file N  the first N bytes of the file
 */
export type Base = "fresh" | "old" | "staged" | number | { readonly file: number };

/**
 * Begins an upload, or takes up the unfinished one.
 *
 * @throws {BargeError} as `checkWrite`; `over-quota` before a byte was sent, if the size is known;
 *   `usage` where there are fewer bytes than it is to begin with; `unavailable` when another took it
 *   over meanwhile
 */
export async function put(session: Session, request: PutRequest): Promise<Upload> {
  const { location, declared } = declare(session, request);
  checkWrite(session, session.accountNow(), location, request.overwrite);
  const { store } = session;
  const { keep, copy } = start(store, request, declared, location);
  const { row, former, dropped } = await store.commits.enter(() =>
    takeRow(store, request, declared, keep)
  );
  let fence: Fence | undefined;
  let staged: Staged | undefined;
  try {
    discardDropped(store, dropped);
    const settled = former?.holder ? await store.fences.raise(row.id) : true;
    fence = store.fences.take(row.id);
    if (!store.reservations.holds(row.id, row.holder!)) throw lost(session, row, location);
    const heartbeat = makeHeartbeat(store, row);
    const there = former ? Math.min(keep, continuable(store, row)) : 0;
    const onRead = request.unread ? null : heartbeat;
    staged = await Staged.open(store.vault, row.id, there, fence, onRead);
    if (row.whole !== null) {
      await store.commits.note(() => store.reservations.keepWhole(row.id, row.holder!, null));
    }
    if (request.size !== null && staged.size > request.size) await staged.restart();
    if (typeof request.base === "number" && copy === 0 && staged.size !== keep) throw tooFew(keep);
    const upload = new Upload({
      ...{ session, request, location, row, staged, fence, heartbeat, suspect: !settled },
    });
    if (copy > 0) await begin(upload, session, request.path, copy);
    return upload;
  } catch (error) {
    staged?.[Symbol.dispose]();
    try {
      if (copy > 0) await giveUp(store, row);
      else await letGo(store, row, continuable(store, row));
    } finally {
      fence?.[Symbol.dispose]();
    }
    throw error;
  }
}

/** The ledger's part, in one transaction. */
function takeRow(
  { reservations, finishedUploads }: Store,
  { remains, recorded }: PutRequest,
  declared: Declared,
  keep: number,
): { row: UploadRow; former?: UploadRow; dropped: number[] } {
  const former = keep > 0 ? reservations.resumable(declared.account, declared) : undefined;
  const resumed = former && reservations.resume(former.id, declared);
  if (resumed) return { row: resumed, former, dropped: [] };
  if (remains && reservations.unfinished(declared.account, declared)) {
    throw new BargeError("unavailable", "another upload to that path is under way");
  }
  const idle = keep === 0 ? reservations.idle(declared.account, declared) : undefined;
  if (idle) reservations.drop(idle.id); // its place is taken
  if (recorded) finishedUploads.forget(declared.account, declared);
  return { row: reservations.begin(declared), dropped: idle ? [idle.id] : [] };
}

/** How many bytes are kept of the unfinished upload, and how many copied from the file. */
function start(
  store: Store,
  { base, size }: PutRequest,
  declared: Declared,
  location: Location,
): { keep: number; copy: number } {
  if (base === undefined) return { keep: size === null ? 0 : Infinity, copy: 0 };
  if (base === "fresh" || base === 0) return { keep: 0, copy: 0 };
  if (base === "staged") return { keep: Infinity, copy: 0 };
  if (typeof base === "object") return { keep: 0, copy: base.file };
  const found = store.vault.find(location.place!);
  const file = found?.type === "file" ? found.size : undefined;
  if (base === "old") return { keep: file === undefined ? Infinity : 0, copy: file ?? 0 };
  const row = store.reservations.resumable(declared.account, declared);
  if (row && continuable(store, row) >= base) return { keep: base, copy: 0 };
  if (file !== undefined && file >= base) return { keep: 0, copy: base };
  throw tooFew(base);
}

function tooFew(base: number): BargeError {
  return new BargeError("usage", `there are fewer than ${base} bytes to go on from`, {
    hint: "ask for its size, and go on from there",
  });
}

/** Copies the file's first bytes. */
async function begin(upload: Upload, session: Session, path: string, bytes: number): Promise<void> {
  const source = await openDownload(session.store, session.locate(path).place, 0);
  const buffer = borrow();
  let left = Math.min(bytes, source.size);
  try {
    await upload.copyFrom(async (into) => {
      const n = await source.read(into.subarray(0, Math.min(into.length, left)));
      left -= n;
      return n;
    }, buffer);
    if (left > 0) throw tooFew(bytes);
  } finally {
    giveBack(buffer);
    source.close();
  }
}

/**
 * Returns the facts of an upload that the ledger records.
 *
 * @throws {BargeError} for a path that can't be written, and a time that no file can have
 */
export function declare(
  session: Session,
  request: PutRequest,
): { location: Location; declared: Declared } {
  const { path, size, modified, reserve } = request;
  const location = session.locate(path);
  const { dir, name } = changeable(location);
  checkFileTime(modified, path);
  const holder = `${session.store.life}/${randomUUID()}`;
  return {
    location,
    declared: { account: session.id, dir, name, size, modified, reserve, holder },
  };
}
