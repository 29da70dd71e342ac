/**
 * Writing a file: reserved, staged, verified, published.
 *
 * A new upload either continues the account's half-finished one to that path, or takes its place;
 * what becomes of it from there: upload.ts.
 */
import { randomUUID } from "node:crypto";
import type { Declared } from "../account/reservation.ts";
import { BargeError } from "../error.ts";
import { borrow, giveBack } from "../net/pool.ts";
import type { Location } from "../vault/path.ts";
import { Staged } from "../vault/staged.ts";
import { discard } from "../vault/staging.ts";
import { changeable, checkWrite, type When } from "./access.ts";
import { checkFileTime } from "./file_time.ts";
import { get } from "./get.ts";
import { continuable, giveUp, letGo } from "./half.ts";
import type { Session } from "./session.ts";
import type { Store } from "./store.ts";
import { makeHeartbeat, Upload } from "./upload.ts";

export interface PutRequest {
  readonly path: string;
  /** The whole file's bytes; null when unknown. */
  readonly size: number | null;
  /** The time that the file is to have, in ms since 1970; null: when it was written. */
  readonly modified: number | null;
  readonly overwrite: When;
  /** What it begins with; by default what is half-finished, if the size is known, else nothing. */
  readonly base?: Base;
  /** Bytes to reserve at once where the size is not known: no promise that they will come. */
  readonly reserve?: number;
  /** What is there already is read only when all of it is: `prefix` can't be told. */
  readonly unread?: boolean;
  /** Are its bytes those of a file here? Then they need no check. */
  readonly copied?: boolean;
}

/**
 * What an upload begins with.
 *
 *   fresh   nothing
 *   old     what is there: the file, or if there is none the half-finished upload, or nothing
 *   N       so many bytes of the half-finished upload, or of the file where that has fewer
 */
export type Base = "fresh" | "old" | number;

/**
 * Begins an upload, or takes up the one that was cut off.
 *
 * @throws {BargeError} as `checkWrite`; `over-quota` before a byte was sent, if the size is known;
 *   `usage` where there are fewer bytes than it is to begin with
 */
export async function put(session: Session, request: PutRequest): Promise<Upload> {
  const { location, declared } = declare(session, request);
  checkWrite(session, session.account(), location, request.overwrite);
  const { store } = session;
  const { keep, copy } = start(store, request, declared, location);
  const { row, idle } = await store.commits.enter(() => {
    const idle = store.reservations.idle(declared.account, declared);
    if (keep === 0 && idle) store.reservations.drop(idle.id); // its place is taken
    const resumed = keep > 0 && idle && store.reservations.resume(idle.id, declared);
    return { row: resumed || store.reservations.begin(declared), idle };
  });
  const resumed = row.id === idle?.id;
  let staged: Staged | undefined;
  try {
    if (keep === 0 && idle) discard(store.vault, idle.id);
    const heartbeat = makeHeartbeat(store, row);
    const there = resumed ? Math.min(keep, continuable(store, row)) : 0;
    staged = await Staged.open(store.vault, row.id, there, request.unread ? null : heartbeat);
    if (row.whole !== null) store.reservations.keepWhole(row.id, row.holder!, null);
    if (request.size !== null && staged.size > request.size) await staged.restart();
    if (typeof request.base === "number" && copy === 0 && staged.size !== keep) throw tooFew(keep);
    const suspect = resumed && idle?.holder !== null;
    const upload = new Upload({ session, request, location, row, staged, heartbeat, suspect });
    if (copy > 0) await begin(upload, session, request.path, copy);
    return upload;
  } catch (error) {
    staged?.[Symbol.dispose]();
    if (copy > 0) giveUp(store, row);
    else letGo(store, row, continuable(store, row));
    throw error;
  }
}

/** How many bytes are kept of the half-finished upload, and how many copied from the file. */
function start(
  store: Store,
  { base, size }: PutRequest,
  declared: Declared,
  location: Location,
): { keep: number; copy: number } {
  if (base === undefined) return { keep: size === null ? 0 : Infinity, copy: 0 };
  if (base === "fresh" || base === 0) return { keep: 0, copy: 0 };
  const found = store.vault.find(location.place!);
  const file = found?.type === "file" ? found.size : undefined;
  if (base === "old") return { keep: file === undefined ? Infinity : 0, copy: file ?? 0 };
  const idle = store.reservations.idle(declared.account, declared);
  if (idle && continuable(store, idle) >= base) return { keep: base, copy: 0 };
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
  const source = await get(session, path, 0);
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

/** What the ledger is to know of an upload. @throws {BargeError} for a path that can't be written, and a time that no file can have */
export function declare(
  session: Session,
  request: PutRequest,
): { location: Location; declared: Declared } {
  checkFileTime(request.modified, request.path);
  const location = session.locate(request.path);
  const { dir, name } = changeable(location);
  const { size, modified, reserve } = request;
  return {
    location,
    declared: { account: session.id, dir, name, size, modified, reserve, holder: randomUUID() },
  };
}
