/**
 * Who may change what. Everyone does as they like in their own home, and may read and add to
 * /public; what is there already may be replaced, moved or removed by the account that it is charged
 * to, and by admins.
 */
import type { Account } from "../storage/account.ts";
import { BargeError, typed } from "../error.ts";
import type { Overwrite } from "../protocol/message.ts";
import type { Location } from "../storage/path.ts";
import type { Place } from "../storage/place.ts";
import type { StoredEntry } from "../storage/entry.ts";
import type { View } from "../storage/view.ts";
import { sameFile, storedEntry } from "../local/entry.ts";
import { LocalView } from "../local/view.ts";
import type { Session } from "./session.ts";
import { look, type Seen } from "../local/look.ts";

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
 * May a file be written there?
 *
 * @param seen what is there, where somebody has looked already
 * @returns whether it replaces one
 * @throws {BargeError} `no-directory`, `exists` (a folder, or not to be overwritten, or changed
 *   since), `denied`
 */
export function checkWrite(
  session: Session,
  account: Account,
  location: Location,
  overwrite: When,
  seen?: Seen,
): boolean {
  try {
    return mayWrite(session, account, location, overwrite, seen);
  } catch (error) {
    throw typed(error, { path: location.path }); // of a copy or a move, it is the target
  }
}

function mayWrite(
  session: Session,
  account: Account,
  location: Location,
  overwrite: When,
  seen?: Seen,
): boolean {
  const place = changeable(location);
  const { store } = session;
  store.vault.needFolder(place.dir);
  const { found: there, row } = seen ?? look(store, place);
  const digest = row && there && sameFile(row, there) ? row.sha256 : undefined;
  if (typeof overwrite === "function") {
    overwrite(there && storedEntry(there, row), new LocalView(store, look));
  }
  if (!there) {
    if (typeof overwrite !== "object") return false;
    throw new BargeError("exists", "the file that was to be replaced is gone");
  }
  if (there.type === "dir") {
    throw new BargeError("exists", "it is a folder", {
      hint: `write ${location.path}/ to put it inside`,
    });
  }
  if (there.type === "other") throw new BargeError("denied", "what is there is not a regular file");
  if (overwrite === "never") throw new BargeError("exists", "it exists already");
  if (typeof overwrite === "object" && digest !== overwrite.sha256) {
    throw new BargeError("exists", "the file has changed since");
  }
  if (guarded(account, location) && row?.owner !== account.id) throw belongsTo("it", row);
  return true;
}

/** The same with the account of that moment. */
export function checkWriteIn(
  view: View,
  session: Session,
  location: Location,
  overwrite: When,
): boolean {
  return checkWrite(session, session.accountIn(view), location, overwrite);
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
