/** An account's half-finished upload to a path, as those ask for it that continue it by name. */
import { staleAfter } from "../account/reservation.ts";
import { BargeError } from "../error.ts";
import { discard } from "../vault/staging.ts";
import { changeable } from "./access.ts";
import { continuable } from "./half.ts";
import { keepUnfinished } from "./recover.ts";
import type { Session } from "./session.ts";

export interface Unfinished {
  /** Bytes that are there. */
  readonly offset: number;
  /** Declared bytes of the whole; null when unknown. */
  readonly size: number | null;
  /** The time that the file is to have, in ms since 1970, if one was given. */
  readonly modified: number | null;
  /** Does somebody write it at this moment? */
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
 * Drops it; a file of that name stays.
 *
 * @throws {BargeError} `not-found`; `unavailable` while somebody writes it
 */
export function dropUnfinished(session: Session, path: string): void {
  const half = unfinished(session, path);
  if (!half) throw new BargeError("not-found", "there is no half-finished upload", { path });
  const { store } = session;
  const ids = store.reservations.dropIdle(session.account().id, placeOf(session, path));
  if (ids.length === 0) throw new BargeError("unavailable", "it is being uploaded at this moment");
  for (const id of ids) discard(store.vault, id);
}

function placeOf(session: Session, path: string) {
  return changeable(session.locate(path));
}
