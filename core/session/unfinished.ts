/** An account's unfinished upload to a path, as those ask for it that continue it by name. */
import { staleAfter } from "../account/reservation.ts";
import { BargeError } from "../error.ts";
import { changeable } from "./access.ts";
import { continuable, discardDropped } from "./half.ts";
import { keepUnfinished } from "./recover.ts";
import type { Session } from "./session.ts";

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
  const row = store.reservations.unfinished(session.account().id, placeOf(session, path));
  if (!row) return undefined;
  const { size, modified, touched } = row;
  return {
    offset: continuable(store, row),
    size,
    modified,
    busy: row.holder !== null && touched > Date.now() - staleAfter,
    expires: touched + keepUnfinished,
  };
}

/**
 * Drops it, whoever writes it, which then fails; a file of that name stays.
 *
 * @throws {BargeError} `not-found`
 */
export async function dropUnfinished(session: Session, path: string): Promise<void> {
  const { store } = session;
  const place = placeOf(session, path);
  const { id } = session.account();
  const ids = await store.commits.enter(() => store.uploadsAt.drop(id, place));
  if (ids.length === 0) {
    throw new BargeError("not-found", "there is no unfinished upload", { path });
  }
  discardDropped(store, ids);
}

function placeOf(session: Session, path: string) {
  return changeable(session.locate(path));
}
