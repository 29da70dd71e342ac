/**
 * Rights to change files. An account may change everything in its home, and may read and add to
 * /public. Only the account that a file in /public is charged to, and admins, may replace, move or remove
 * the file. The access of a token (scope.ts) limits each of these rights.
 */
import type { Account } from "../storage/account.ts";
import { BargeError, typed } from "../error.ts";
import type { Overwrite } from "../protocol/message.ts";
import type { Location } from "../storage/path.ts";
import type { Place } from "../storage/place.ts";
import type { StoredEntry } from "../storage/entry.ts";
import type { View } from "../storage/view.ts";
import { fileRecord } from "./file_record.ts";
import type { Session } from "./session.ts";
import type { WriteGuard } from "../storage/uploads.ts";

/** The condition for writing a name: the client's `overwrite`, or a check of the door. */
export type WriteCondition = Overwrite | Check;
/** Throws unless a name may be written. The check runs again under the write lock. */
export type Check = (existing: StoredEntry | undefined, view: View) => void;

/** Checks that a session may add new names. @throws {BargeError} `denied` */
export function needAdd({ scope: { access } }: Session): void {
  if (access === "read-only") {
    throw new BargeError("denied", "the token of this login can only read", {
      hint: otherLogin("--read-only"),
    });
  }
}

/**
 * Checks that a session may change, move and remove what exists.
 *
 * @param hint the step to take with an append-only token
 * @throws {BargeError} `denied`
 */
export function needChange(session: Session, hint = otherLogin("--append-only")): void {
  needAdd(session);
  if (session.scope.access !== "append-only") return;
  throw new BargeError("denied", "the token of this login can only add new files", { hint });
}

/** Returns the hint on a token's limit, by the option of `barge token add` that set it. */
function otherLogin(limit: string): string {
  return `the token was made with ${limit}; log in with the password or another token`;
}

/** Returns the place of a path that can be changed: not `/`, `/home` or `/public`. */
export function changeable({ place, fixed, path }: Location): Place {
  if (place && !fixed) return place;
  throw new BargeError("exists", "it is a built-in folder, which can't be changed", { path });
}

/**
 * Checks that a file may be written at a path.
 *
 * @returns the existing file at the path, which the new file replaces
 * @throws {BargeError} `no-directory`; `exists` for a folder, or if `overwrite` does not allow to replace
 *   the file; `denied`; `unauthenticated` when the login has ended
 */
export function checkWrite(
  view: View,
  session: Session,
  location: Location,
  overwrite: WriteCondition,
): StoredEntry | undefined {
  const account = session.accountIn(view);
  try {
    needAdd(session);
    const place = changeable(location);
    view.needFolder(place);
    const existing = view.entry(place);
    if (typeof overwrite === "function") overwrite(existing, view);
    if (!existing) {
      if (typeof overwrite !== "object") return undefined;
      throw new BargeError("exists", "the file to replace does not exist");
    }
    if (existing.type === "dir") {
      const hint = `write ${location.path}/ to put it inside`;
      throw new BargeError("exists", "it is a folder", { hint });
    }
    if (existing.type === "other") {
      throw new BargeError("denied", "it is not a regular file");
    }
    if (overwrite === "never") throw new BargeError("exists", "it exists already");
    if (typeof overwrite === "object" && existing.sha256 !== overwrite.sha256) {
      throw new BargeError("exists", "the file has changed: its digest is not the expected one");
    }
    needChange(session, "the token was made with --append-only; choose a name that is not taken");
    if (ownFilesOnly(account, location) && existing.owner !== account.id) {
      throw belongsTo("it", existing);
    }
    return existing;
  } catch (error) {
    // In a copy or a move, `location` is the target; callers would add the source.
    throw typed(error, { path: location.path });
  }
}

/**
 * Returns a guard that runs {@link checkWrite} in the step that makes the change.
 *
 * @param request.copied whether the file is a copy of another one
 */
export function writeGuard(
  session: Session,
  location: Location,
  overwrite: WriteCondition,
  { copied }: { readonly copied?: boolean } = {},
): WriteGuard {
  return {
    places: [changeable(location)],
    door: session.door,
    check: (view) => checkWrite(view, session, location, overwrite),
    record: fileRecord(session, copied ? "copy" : "commit", { path: location.path }),
  };
}

/**
 * Checks that an account may change, move or remove a file, or a folder with all its contents.
 *
 * @param known the entry at the location, if the caller has looked it up
 * @throws {BargeError} `not-found`, `denied`
 */
export async function checkChange(
  session: Session,
  account: Account,
  location: Location,
  known?: StoredEntry,
): Promise<void> {
  needChange(session);
  const { tree } = session.store;
  const place = changeable(location);
  const entry = known ?? await tree.entry(place);
  if (!entry) throw notFound();
  if (!ownFilesOnly(account, location)) return;
  if (entry.type === "dir") {
    const foreign = await tree.foreign(place, account.id);
    if (foreign) throw belongsTo(`${foreign.name} in it`, foreign);
  } else if (entry.type === "other") {
    throw new BargeError("denied", "it is not a regular file");
  } else if (entry.owner !== account.id) throw belongsTo("it", entry);
}

/**
 * Repeats {@link checkChange} in the step that makes the change. It does not walk a folder on disk: the
 * ledger has every file that was added to the folder since the first check.
 *
 * @param known the entry at the location, if the caller has looked it up in this step
 * @returns the entry at the location
 * @throws {BargeError} as {@link checkChange}
 */
export function recheckChange(
  view: View,
  session: Session,
  location: Location,
  known?: StoredEntry,
): StoredEntry {
  needChange(session);
  const account = session.accountIn(view);
  const place = changeable(location);
  const entry = known ?? view.entry(place);
  if (!entry) throw notFound();
  const foreign = ownFilesOnly(account, location) ? view.foreignFile(place, account.id) : undefined;
  if (foreign) throw belongsTo(foreign.name, foreign);
  return entry;
}

/** Returns whether an account may change only its own files at a location. */
function ownFilesOnly(account: Account, { space }: Location): boolean {
  return space === "public" && account.role !== "admin";
}

function notFound(): BargeError {
  return new BargeError("not-found", "there is no such file or folder");
}

/** Returns the error for changing another account's file. @param name the file's name in the message */
export function belongsTo(name: string, { ownerName }: Pick<StoredEntry, "ownerName">): BargeError {
  return new BargeError("denied", `${name} belongs to ${ownerName ?? "the operator"}`);
}
