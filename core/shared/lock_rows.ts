/** The rows of WebDAV's locks. */
import type { Lock } from "../storage/lock.ts";
import type { Place } from "../storage/place.ts";
import type { Statements } from "./postgres.ts";

/** Returns the locks on a place, and the deep ones on the folders that it is in. */
export function locksOver(_db: Statements, _place: Place): Promise<readonly Lock[]> {
  return Promise.resolve([]);
}

/** Returns the locks on a place itself. */
export function locksOn(_db: Statements, _place: Place): Promise<readonly Lock[]> {
  return Promise.resolve([]);
}

/** Returns the locks in and below a folder. */
export function locksBelow(_db: Statements, _place: Place): Promise<readonly Lock[]> {
  return Promise.resolve([]);
}
