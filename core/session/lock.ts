/**
 * Locks of WebDAV (RFC 4918, sections 6 and 7): only a client that sends a lock's token may change
 * what is locked.
 *
 *   locked -> (refreshed) -> unlocked | expired
 *
 * Invariants: a lock belongs to an account, and no other account can use its token; an exclusive lock
 * is the only one over its place; every lock expires. Conditions and conflicts are checked under the
 * write lock, in the step of the change.
 *
 * Locks bind WebDAV clients only: the other protocols have no tokens, and their doors check no locks.
 * An account can lock only what it may remove, so that it can't lock others out of /public. A token that
 * can only read or add has no locks. A token with a path refreshes and ends only locks on that path and below
 * it, and no deep lock on a folder above the path: of that it sees neither the token nor the owner.
 */
import { randomUUID } from "node:crypto";
import { BargeError, type ErrorFacts } from "../error.ts";
import { changeable, type Check, checkChange, needChange, recheckChange } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import type { Lock } from "../storage/lock.ts";
import { folderOf, type Place } from "../storage/place.ts";
import type { StoredFile } from "../storage/uploads.ts";
import type { Condition, View } from "../storage/view.ts";
import { receive } from "../upload/receive.ts";

/** The most characters of a lock's owner, in XML. */
const maxOwnerLength = 4096;
/** The most locks that a refusal names. */
const maxNamedLocks = 100;

/** The error of a request that lacks the token of a locked file or folder. */
export class Locked extends BargeError {
  /** The locked files and folders. */
  readonly paths: readonly string[];
  /** True if the request was for a new lock, which an existing lock excludes. */
  readonly conflict: boolean;

  constructor(paths: readonly string[], conflict: boolean, facts: ErrorFacts = {}) {
    super("unavailable", "it is locked by another client", facts);
    this.paths = paths;
    this.conflict = conflict;
  }

  override with(facts: ErrorFacts): Locked {
    const { op, path, account, hint, cause } = super.with(facts);
    return new Locked(this.paths, this.conflict, { op, path, account, hint, cause });
  }
}

export interface LockRequest {
  readonly path: string;
  readonly shared: boolean;
  /** Whether it locks a folder with all entries in it. */
  readonly deep: boolean;
  /** The user, as the client describes it by an XML element; may be empty. */
  readonly owner: string;
  /** The time until it expires. */
  readonly seconds: number;
  /** Tokens of locks that the client has already. */
  readonly tokens: ReadonlySet<string>;
}

/**
 * Locks a file or folder; if there is none, makes an empty file (section 7.3).
 *
 * @param condition throws unless the client's own conditions hold
 * @returns the lock, and whether a file was made for it
 * @throws {Locked}; {BargeError} as `checkWrite` and `checkChange`; `over-quota` for too many locks
 */
export async function lock(
  session: Session,
  request: LockRequest,
  condition: Condition,
): Promise<{ lock: Lock; made: boolean }> {
  needChange(session);
  const { attached: { locks }, tree } = session.store;
  const { path, shared, deep, seconds, owner } = request;
  const location = session.locate(path);
  const place = changeable(location);
  const entry = await tree.entry(place);
  if (entry) await checkChange(session, await session.account(), location);
  if (owner.length > maxOwnerLength) {
    throw new BargeError("usage", `an owner of more than ${maxOwnerLength} characters`, { path });
  }
  const made = entry ? undefined : await makeEmpty(session, path, (existing, view) => {
    condition(view);
    if (existing) throw new BargeError("exists", "it exists already");
    checkUnlocked(view, session, path, request.tokens, "name");
    refuseConflict(view, place, shared, deep);
  });
  const check = (view: View): void => {
    // The client's condition was about the path before the file was made.
    if (!made) condition(view);
    recheckChange(view, session, location);
    refuseConflict(view, place, shared, deep);
  };
  const { dir, name } = place;
  const token = `opaquelocktoken:${randomUUID()}`;
  const until = Date.now() + seconds * 1000;
  const lock: Lock = { token, account: session.id, dir, name, shared, deep, owner, until };
  try {
    await locks.add(lock, { places: [place], check });
    return { lock, made: made !== undefined };
  } catch (error) {
    if (made) await removeEmpty(session, place, made);
    throw error;
  }
}

/** Makes an empty file. @returns undefined if another client has made a file or folder meanwhile */
async function makeEmpty(
  session: Session,
  path: string,
  overwrite: Check,
): Promise<StoredFile | undefined> {
  const facts = { path, size: 0, modified: null, overwrite, base: "fresh" } as const;
  try {
    return await (await receive(session, facts)).commit(null, true);
  } catch (error) {
    if (error instanceof BargeError && error.kind === "exists") return undefined;
    throw error;
  }
}

/** Removes a file that was made for a lock, unless another client has changed or locked it. */
async function removeEmpty(session: Session, place: Place, made: StoredFile): Promise<void> {
  const check = (view: View): void => {
    const entry = view.entry(place);
    const isUnchanged = entry?.sha256 === made.sha256 && entry.modified === made.modified;
    if (isUnchanged && view.locksOver(place).length === 0) return;
    throw new BargeError("changed", "another client has changed the file");
  };
  // The caller reports the failure of the lock.
  await session.store.tree.remove(place, session.id, { places: [place], check }).catch(() => {});
}

/**
 * Extends the first lock over a path whose token the client has.
 *
 * @returns undefined if there is none
 */
export async function refresh(
  session: Session,
  path: string,
  tokens: ReadonlySet<string>,
  seconds: number,
  condition: Condition,
): Promise<Lock | undefined> {
  needChange(session);
  const place = changeable(session.locate(path));
  const check = (view: View): Lock | undefined => {
    session.accountIn(view);
    condition(view);
    return reachedLocks(view, session, place).find((lock) => holds(session, lock, tokens));
  };
  const until = Date.now() + seconds * 1000;
  return await session.store.attached.locks.extend(until, { places: [place], check });
}

/**
 * Ends a lock over a path: one of the account, or of any account for an admin.
 *
 * @returns false if no lock over the path has the token
 * @throws {BargeError} `denied` for the lock of another account
 */
export async function unlock(session: Session, path: string, token: string): Promise<boolean> {
  needChange(session);
  const account = await session.account();
  const { place } = session.locate(path);
  if (!place) return false;
  const check = (view: View): Lock | undefined => {
    const lock = reachedLocks(view, session, place).find((lock) => lock.token === token);
    if (!lock || lock.account === account.id || account.role === "admin") return lock;
    throw new BargeError("denied", "the lock is another account's", { path });
  };
  return await session.store.attached.locks.remove({ places: [place], check });
}

/** A lock as a session sees it: without its token and owner where it is on a path that the session does not reach. */
export type VisibleLock = Omit<Lock, "token"> & { readonly token: string | null };

/** Returns the locks over a path. @throws {BargeError} as `locate` */
export async function locksOver(session: Session, path: string): Promise<readonly VisibleLock[]> {
  if (session.wayIn(path) !== undefined) return [];
  const { place } = session.locate(path);
  const locks = place ? await session.store.attached.locks.over(place) : [];
  return locks.map((lock) => visibleTo(session, lock));
}

/** Returns the deep locks over a folder, and the locks on its entries by name. */
export async function locksIn(
  session: Session,
  path: string,
): Promise<{ all: readonly VisibleLock[]; each: Map<string, Lock[]> }> {
  const none = { all: [], each: new Map() };
  if (session.wayIn(path) !== undefined) return none;
  const { place } = session.locate(path);
  if (!place) return none;
  const { locks } = session.store.attached;
  const all = (await locksOver(session, path)).filter((lock) => lock.deep);
  return { all, each: Map.groupBy(await locks.in(place), (lock) => lock.name) };
}

/**
 * Checks that a client with these tokens may make a change.
 *
 * @param change `content`: of bytes or properties; `name`: the entry is made, removed or replaced, which
 *   also changes its folder and all entries below it (sections 7.4 and 7.5)
 * @throws {Locked} when the client has no token for a lock over the path, or on an entry below
 */
export function checkUnlocked(
  view: View,
  session: Session,
  path: string,
  tokens: ReadonlySet<string>,
  change: "content" | "name",
): void {
  const { place } = session.locate(path);
  if (!place) return;
  const groups = [view.locksOver(place)];
  if (change === "name") {
    groups.push(view.locksOn(folderOf(place)).filter((lock) => !lock.deep));
    const below = view.locksBelow(place);
    groups.push(...Map.groupBy(below, (lock) => `${lock.dir}/${lock.name}`).values());
  }
  // Of several shared locks on one entry, the token of one is enough.
  const missing = groups.filter((group) =>
    group.length > 0 && !group.some((lock) => holds(session, lock, tokens))
  );
  if (missing.length === 0) return;
  const paths = missing.slice(0, maxNamedLocks).map(([lock]) => lockedPath(lock));
  throw new Locked(paths, false, { path });
}

/** Returns the path of a locked place, as its account sees it. */
export function lockedPath({ dir, name }: Place): string {
  return `/${dir}/${name}`.replace(/^\/homes\/[^/]+/, "/home");
}

function holds(session: Session, lock: Lock, tokens: ReadonlySet<string>): boolean {
  return lock.account === session.id && tokens.has(lock.token);
}

/** Returns the locks over a place that are on paths which the session reaches. */
function reachedLocks(view: View, session: Session, place: Place): readonly Lock[] {
  return view.locksOver(place).filter((lock) => session.reaches(lockedPath(lock)));
}

function visibleTo(session: Session, lock: Lock): VisibleLock {
  return session.reaches(lockedPath(lock)) ? lock : { ...lock, token: null, owner: "" };
}

/** Refuses a new lock. @throws {Locked} when a lock over a place, or below it, excludes the new lock */
function refuseConflict(view: View, place: Place, shared: boolean, deep: boolean): void {
  const others = [...view.locksOver(place), ...deep ? view.locksBelow(place) : []];
  const conflicts = shared ? others.filter((lock) => !lock.shared) : others;
  if (conflicts.length === 0) return;
  throw new Locked(conflicts.slice(0, maxNamedLocks).map(lockedPath), true);
}
