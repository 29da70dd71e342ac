/** An account's upload to a path, for clients that continue it by name or ask whether it is finished. */
import { staleAfter, type UploadRow } from "../local/ledger/reservation.ts";
import { BargeError } from "../error.ts";
import { relative } from "../storage/place.ts";
import { changeable } from "../login/access.ts";
import { sameFile } from "../local/entry.ts";
import { continuable, discardDropped } from "../local/partial_upload.ts";
import { keepPartialMs } from "../local/ledger/reservation.ts";
import type { Session } from "../login/session.ts";
import type { Store } from "../local/store.ts";
import { look } from "../local/look.ts";

export interface Unfinished {
  /** Bytes that are there. */
  readonly offset: number;
  /** Declared bytes of the whole; null when unknown. */
  readonly size: number | null;
  /** The time that the file is to have, in ms since 1970, if one was given. */
  readonly modified: number | null;
  /** Does somebody write it at this moment? Whoever continues it takes it over. */
  readonly busy: boolean;
  /** When it is dropped if nobody goes on with it, in ms since 1970. */
  readonly expires: number;
}

/** @returns undefined when there is none @throws {BargeError} as `locate` */
export function unfinished(session: Session, path: string): Unfinished | undefined {
  const { store } = session;
  const row = store.reservations.unfinished(session.accountNow().id, placeOf(session, path));
  return row && progressOf(store, row);
}

/** Lists all of the account's own, also those under way; the oldest first. */
export function* allUnfinished(
  session: Session,
): Generator<Unfinished & { readonly path: string }, void, void> {
  session.checkNow();
  if (session.confined) return;
  const { store } = session;
  const { id, name } = session.accountNow();
  for (const row of store.reservations.unfinishedOf(id)) {
    const path = `/${relative(row).replace(`homes/${name}/`, "home/")}`;
    yield { path, ...progressOf(store, row) };
  }
}

function progressOf(store: Store, row: UploadRow): Unfinished {
  const { size, modified, touched } = row;
  return {
    offset: continuable(store, row),
    size,
    modified,
    busy: row.holder !== null && touched > Date.now() - staleAfter,
    expires: touched + keepPartialMs,
  };
}

/** The last upload of an account to a path, which is a file now. */
export interface Finished {
  readonly size: number;
  /** When that is forgotten, in ms since 1970. */
  readonly expires: number;
}

/**
 * Finds out whether the account's last recorded upload to a path (`PutRequest.recorded`) is the file
 * that is there: the account's own, with the same digest. So a file that was replaced by other
 * bytes, moved or removed since does not count, nor does another account's.
 *
 * @returns undefined when it is not @throws {BargeError} as `locate`
 */
export function finishedUpload(session: Session, path: string): Finished | undefined {
  const { store } = session;
  const account = session.accountNow().id;
  const place = placeOf(session, path);
  const upload = store.finishedUploads.find(account, place);
  const expires = (upload?.finished ?? 0) + keepPartialMs;
  if (!upload || expires < Date.now()) return undefined;
  const { found, row } = look(store, place);
  const intact = found && row && sameFile(row, found);
  if (!intact || row.owner !== account || row.sha256 !== upload.sha256) return undefined;
  return { size: found.size, expires };
}

/**
 * Drops it, whoever writes it, which then fails; a file of that name stays.
 *
 * @throws {BargeError} `not-found`
 */
export async function dropUnfinished(session: Session, path: string): Promise<void> {
  const { store } = session;
  const place = placeOf(session, path);
  const { id } = session.accountNow();
  const ids = await store.commits.enter(() => store.uploadsAt.drop(id, place));
  if (ids.length === 0) {
    throw new BargeError("not-found", "there is no unfinished upload", { path });
  }
  discardDropped(store, ids);
}

function placeOf(session: Session, path: string) {
  return changeable(session.locate(path));
}
