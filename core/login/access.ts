/**
 * Who may change what. Everyone does as they like in their own home, and may read and add to
 * /public; what is there already may be replaced, moved or removed by the account that it is charged
 * to, and by admins.
 */
import type { Account } from "../storage/account.ts";
import { BargeError, typed } from "../error.ts";
import type { Overwrite } from "../protocol/message.ts";
import type { Location } from "../storage/path.ts";
import { type Place, relative } from "../storage/place.ts";
import type { Found } from "../local/vault/vault.ts";
import { sameFile } from "../local/entry.ts";
import type { Session } from "./session.ts";
import type { Store } from "../local/store.ts";
import { look } from "../local/look.ts";
import type { StoredEntry } from "../storage/entry.ts";
import type { WriteGuard } from "../storage/uploads.ts";
import type { View } from "../storage/view.ts";

/** What is at a path that is to be written, as a condition sees it. */
export interface Standing {
  readonly type: Found["type"];
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** Null where none is stored. */
  readonly sha256: string | null;
}

/**
 * When may a name be written: as a client says, or as a check of the door's own decides, which
 * throws if not. It runs again under the write lock; undefined: there is nothing.
 */
export type When = Overwrite | Check;
export type Check = (there: Standing | undefined) => void;

/** What is at a place, for a {@link Check}. */
export function standing(store: Store, place: Place): Standing | undefined {
  const { found, row } = look(store, place);
  return found && { ...found, sha256: row && sameFile(row, found) ? row.sha256 : null };
}

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
  if (typeof overwrite === "function") overwrite(existing);
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
 * May a file or folder be moved away or removed, with all that is in it?
 *
 * @throws {BargeError} `not-found`, `denied`
 */
export async function checkTake(
  session: Session,
  account: Account,
  location: Location,
): Promise<void> {
  const place = changeable(location);
  const { found: there, row } = look(session.store, place);
  if (!there) throw new BargeError("not-found", "there is no such file or folder");
  if (!guarded(account, location)) return;
  if (there.type === "dir") await checkTree(session, account, place);
  else if (there.type === "other") throw new BargeError("denied", "it is not a regular file");
  else if (row?.owner !== account.id) throw belongsTo("it", row);
}

/**
 * The same under the write lock, where there is no time to walk a tree: the ledger knows what was
 * added to it since.
 *
 * @returns what is there
 * @throws {BargeError} as {@link checkTake}
 */
export function checkTakeStill(session: Session, account: Account, location: Location): Found {
  const place = changeable(location);
  const { ledger, vault } = session.store;
  const there = vault.find(place);
  if (!there) throw new BargeError("not-found", "there is no such file or folder");
  const foreign = guarded(account, location) ? ledger.foreign(place, account.id) : undefined;
  if (foreign) throw belongsTo(foreign.name, foreign);
  return there;
}

function guarded(account: Account, { space }: Location): boolean {
  return space === "public" && account.role !== "admin";
}

async function checkTree(session: Session, account: Account, place: Place): Promise<void> {
  const { store } = session;
  const dir = relative(place);
  // Links and the like, too: only the operator can have put them there.
  for (const { name, type } of await store.vault.entries(place)) {
    if (type === "unnamed") throw belongsTo(`${name} in it`, undefined);
    if (type === "dir") await checkTree(session, account, { dir, name });
    else if (store.ledger.file({ dir, name })?.owner !== account.id) {
      const { row } = look(store, { dir, name });
      if (row?.owner !== account.id) throw belongsTo(`${name} in it`, row);
    }
  }
}

function belongsTo(
  what: string,
  row: { readonly ownerName: string | null } | undefined,
): BargeError {
  return new BargeError("denied", `${what} belongs to ${row?.ownerName ?? "the operator"}`);
}
