/**
 * Locks, as WebDAV has them (RFC 4918, sections 6 and 7): what a client has locked, others that ask
 * for locks leave alone, also other clients of the same account.
 *
 *   locked -> (refreshed) -> unlocked | over
 *
 * Invariants: a lock belongs to an account, and its token is worth nothing to another one; an
 * exclusive lock is the only one over its place; every lock has an end. Conditions and conflicts are
 * looked at under the write lock, together with what they permit.
 *
 * They bind those who know of them: WebDAV's clients. The other doors have no word for a token, and
 * don't ask; who may write there is decided by accounts alone, as always (access.ts). So that nobody
 * can shut others out of /public, only what one may remove can be locked.
 */
import { randomUUID } from "node:crypto";
import { BargeError, type ErrorFacts } from "../error.ts";
import { changeable, checkTake, checkTakeStill, checkWrite } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import type { Lock } from "../storage/lock.ts";
import { folderOf, type Place } from "../storage/place.ts";
import type { Condition, View } from "../storage/view.ts";
import { receive } from "../upload/receive.ts";

/** The longest description of a lock's user, in characters of XML. */
const maxOwnerLength = 4096;
/** The most locks that a refusal names. */
const maxNamedLocks = 100;

/** Something is locked, and the request has no token for it. */
export class Locked extends BargeError {
  /** The paths of the locked files and folders. */
  readonly paths: readonly string[];
  /** Is it a lock that is asked for, and can't be had beside those? */
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
  /** With all that is in it, where it is a folder. */
  readonly deep: boolean;
  /** Whose it is, as an XML element; "" where the client does not say. */
  readonly owner: string;
  /** For how many seconds it asks. */
  readonly seconds: number;
  /** Tokens of locks that the client has already. */
  readonly tokens: ReadonlySet<string>;
}

/**
 * Locks a file or folder; where there is nothing, an empty file is made (section 7.3).
 *
 * @param condition throws unless the client's own conditions hold
 * @returns the lock, and whether a file was made for it
 * @throws {Locked}; {BargeError} as `checkWrite` and `checkTake`; `over-quota` for too many locks
 */
export async function lock(
  session: Session,
  request: LockRequest,
  condition: Condition,
): Promise<{ lock: Lock; made: boolean }> {
  const { attached: { locks }, tree } = session.store;
  const { path, shared, deep, seconds, owner } = request;
  const location = session.locate(path);
  const place = changeable(location);
  const entry = await tree.entry(place);
  if (entry) await checkTake(session, await session.account(), location);
  if (owner.length > maxOwnerLength) {
    throw new BargeError("usage", `an owner of more than ${maxOwnerLength} characters`, { path });
  }
  const check = (view: View): void => {
    condition(view);
    if (entry) checkTakeStill(view, session.accountIn(view), location);
    else {
      checkWrite(view, session, location, "never");
      checkUnlocked(view, session, path, request.tokens, "name");
    }
    refuseConflict(view, place, shared, deep);
  };
  const { dir, name } = place;
  const token = `opaquelocktoken:${randomUUID()}`;
  const until = Date.now() + seconds * 1000;
  const lock: Lock = { token, account: session.id, dir, name, shared, deep, owner, until };
  await locks.add(lock, { places: [place], check });
  if (entry) return { lock, made: false };
  try {
    const facts = { path, size: 0, modified: null, overwrite: "never", base: "fresh" } as const;
    await (await receive(session, facts)).commit(null, true);
    return { lock, made: true };
  } catch (error) {
    if (error instanceof BargeError && error.kind === "exists") {
      return { lock, made: false }; // made by another door meanwhile
    }
    await locks.remove({ places: [place], check: () => lock });
    throw error;
  }
}

/**
 * Gives a lock more time: of those over a path, the first whose token the client has.
 *
 * @returns undefined where there is none
 */
export async function refresh(
  session: Session,
  path: string,
  tokens: ReadonlySet<string>,
  seconds: number,
  condition: Condition,
): Promise<Lock | undefined> {
  const place = changeable(session.locate(path));
  const check = (view: View): Lock | undefined => {
    condition(view);
    return view.locksOver(place).find((lock) => holds(session, lock, tokens));
  };
  const until = Date.now() + seconds * 1000;
  return await session.store.attached.locks.extend(until, { places: [place], check });
}

/**
 * Ends a lock that is over a path: one's own; an admin, any.
 *
 * @returns false where there is no such lock over it
 * @throws {BargeError} `denied` for another account's
 */
export async function unlock(session: Session, path: string, token: string): Promise<boolean> {
  const account = await session.account();
  const { place } = session.locate(path);
  if (!place) return false;
  const check = (view: View): Lock | undefined => {
    const lock = view.locksOver(place).find((lock) => lock.token === token);
    if (!lock || lock.account === account.id || account.role === "admin") return lock;
    throw new BargeError("denied", "the lock is another account's", { path });
  };
  return await session.store.attached.locks.remove({ places: [place], check });
}

/** Returns the locks over a path. @throws {BargeError} as `locate` */
export async function locksOver(session: Session, path: string): Promise<readonly Lock[]> {
  const { place } = session.locate(path);
  return place ? await session.store.attached.locks.over(place) : [];
}

/** Returns the locks on entries directly in a folder, by name, and the deep ones over all of it. */
export async function locksIn(
  session: Session,
  path: string,
): Promise<{ all: readonly Lock[]; each: Map<string, Lock[]> }> {
  const { place } = session.locate(path);
  if (!place) return { all: [], each: new Map() };
  const { locks } = session.store.attached;
  const all = (await locks.over(place)).filter((lock) => lock.deep);
  return { all, each: Map.groupBy(await locks.in(place), (lock) => lock.name) };
}

/**
 * Checks that a client with these tokens may make a change.
 *
 * @param change `content`: of bytes or properties; `name`: the entry comes, goes or is replaced as a
 *   whole, which also changes its folder, and all that is below it (section 7.4, 7.5)
 * @throws {Locked} when a lock over it, or on an entry in it, has no token among them
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
  const path = `/${dir}/${name}`;
  return path.replace(/^\/homes\/[^/]+/, "/home");
}

function holds(session: Session, lock: Lock, tokens: ReadonlySet<string>): boolean {
  return lock.account === session.id && tokens.has(lock.token);
}

/** @throws {Locked} when there is a lock over or below a place that another can't be beside */
function refuseConflict(view: View, place: Place, shared: boolean, deep: boolean): void {
  const others = [...view.locksOver(place), ...deep ? view.locksBelow(place) : []];
  const conflicts = shared ? others.filter((lock) => !lock.shared) : others;
  if (conflicts.length === 0) return;
  throw new Locked(conflicts.slice(0, maxNamedLocks).map(lockedPath), true);
}
