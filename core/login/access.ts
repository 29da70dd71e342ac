/**
 * Rights to change files. An account may change everything in its home, and may read and add to
 * /public. Only the account that a file in /public is charged to, and admins, may replace, move or remove
 * the file.
 */
import type { Account } from "../storage/account.ts";
import { BargeError, typed } from "../error.ts";
import type { Overwrite } from "../protocol/message.ts";
import type { Location } from "../storage/path.ts";
import type { Place } from "../storage/place.ts";
import type { StoredEntry } from "../storage/entry.ts";
import type { View } from "../storage/view.ts";
import type { Session } from "./session.ts";
import type { WriteGuard } from "../storage/uploads.ts";

/**
 * When may a name be written: as a client says, or as a check of the door's own decides, which
 * throws if not. It runs again under the write lock; undefined: there is nothing.
 */
export type When = Overwrite | Check;
export type Check = (existing: StoredEntry | undefined, view: View) => void;

/** The place of a path that can be written, moved or removed: not `/`, `/home` or `/public`. */
export function changeable(location: Location): Place {
  if (!location.place || location.fixed) {
    throw new BargeError("exists", "it is a folder that every account has", {
      path: location.path,
    });
  }
  return location.place;
}

/**
 * Checks that a file may be written at a path.
 *
 * @returns the file that it replaces
 * @throws {BargeError} `no-directory`, `exists` (a folder, or not to be overwritten, or changed
 *   since), `denied`; `unauthenticated` when the login has ended
 */
export function checkWrite(
  view: View,
  session: Session,
  location: Location,
  overwrite: When,
): StoredEntry | undefined {
  const account = session.accountIn(view);
  try {
    return mayWrite(view, account, location, overwrite);
  } catch (error) {
    throw typed(error, { path: location.path }); // of a copy or a move, it is the target
  }
}

/** The same as the guard of a change. */
export function writeGuard(session: Session, location: Location, overwrite: When): WriteGuard {
  return {
    places: [changeable(location)],
    check: (view) => checkWrite(view, session, location, overwrite),
  };
}

function mayWrite(
  view: View,
  account: Account,
  location: Location,
  overwrite: When,
): StoredEntry | undefined {
  const place = changeable(location);
  view.needFolder(place);
  const existing = view.entry(place);
  if (typeof overwrite === "function") overwrite(existing, view);
  if (!existing) {
    if (typeof overwrite !== "object") return undefined;
    throw new BargeError("exists", "the file that was to be replaced is gone");
  }
  if (existing.type === "dir") {
    throw new BargeError("exists", "it is a folder", {
      hint: `write ${location.path}/ to put it inside`,
    });
  }
  if (existing.type === "other") {
    throw new BargeError("denied", "what is there is not a regular file");
  }
  if (overwrite === "never") throw new BargeError("exists", "it exists already");
  if (typeof overwrite === "object" && existing.sha256 !== overwrite.sha256) {
    throw new BargeError("exists", "the file has changed since");
  }
  if (guarded(account, location) && existing.owner !== account.id) throw belongsTo("it", existing);
  return existing;
}

/**
 * Checks that an account may move or remove a file, or a folder with all that is in it.
 *
 * @throws {BargeError} `not-found`, `denied`
 */
export async function checkTake(
  { store: { tree } }: Session,
  account: Account,
  location: Location,
): Promise<void> {
  const place = changeable(location);
  const entry = await tree.entry(place);
  if (!entry) throw notFound();
  if (!guarded(account, location)) return;
  if (entry.type === "dir") {
    const foreign = await tree.foreign(place, account.id);
    if (foreign) throw belongsTo(`${foreign.name} in it`, foreign);
  } else if (entry.type === "other") {
    throw new BargeError("denied", "it is not a regular file");
  } else if (entry.owner !== account.id) throw belongsTo("it", entry);
}

/**
 * Checks the same in the moment of a change, when there is no time to walk a folder: storage knows the
 * files that were added to it since.
 *
 * @returns the entry
 * @throws {BargeError} as {@link checkTake}
 */
export function checkTakeStill(view: View, account: Account, location: Location): StoredEntry {
  const place = changeable(location);
  const entry = view.entry(place);
  if (!entry) throw notFound();
  const foreign = guarded(account, location) ? view.foreignFile(place, account.id) : undefined;
  if (foreign) throw belongsTo(foreign.name, foreign);
  return entry;
}

function guarded(account: Account, { space }: Location): boolean {
  return space === "public" && account.role !== "admin";
}

function notFound(): BargeError {
  return new BargeError("not-found", "there is no such file or folder");
}

function belongsTo(
  what: string,
  file: { readonly ownerName: string | null } | undefined,
): BargeError {
  return new BargeError("denied", `${what} belongs to ${file?.ownerName ?? "the operator"}`);
}
