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
import { maxLocks } from "../local/database/bounds.ts";
import type { Lock } from "../local/ledger/locks.ts";
import { BargeError, type ErrorFacts } from "../error.ts";
import type { Place } from "../storage/place.ts";
import { changeable, checkTake, checkTakeStill, checkWrite } from "../login/access.ts";
import { receive } from "../upload/receive.ts";
import type { Session } from "../login/session.ts";
import { look } from "../local/look.ts";
import { LocalView } from "../local/view.ts";

/** The longest that a lock holds without being refreshed, and how long it does by default, in s. */
export const longest = 3600;
export const usual = 1800;
/** So many characters of XML may say whose it is. */
const longestOwner = 4096;

/** Something is locked, and the request has no token for it. */
export class Locked extends BargeError {
  /** What the locks are on. */
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
 * @param met throws unless the client's own conditions hold; runs under the write lock
 * @returns the lock, and whether a file was made for it
 * @throws {Locked}; {BargeError} as `checkWrite` and `checkTake`; `over-quota` for too many locks
 */
export async function lock(
  session: Session,
  request: LockRequest,
  met: () => void,
): Promise<{ lock: Lock; made: boolean }> {
  const { store } = session;
  const { path, shared, deep, seconds } = request;
  const location = session.locate(path);
  const place = changeable(location);
  const { found } = look(store, place);
  if (found) await checkTake(session, session.accountNow(), location);
  if (request.owner.length > longestOwner) {
    throw new BargeError("usage", `an owner of more than ${longestOwner} characters`, { path });
  }
  const owner = request.owner;
  const entered = await store.commits.enter(() => {
    met();
    const account = session.accountNow();
    if (found) checkTakeStill(session, account, location);
    else {
      checkWrite(new LocalView(store), session, location, "never");
      checkUnlocked(session, path, request.tokens, "name");
    }
    store.locks.expire();
    refuseConflict(session, place, shared, deep);
    if (store.locks.count(account.id) >= maxLocks) {
      throw new BargeError("over-quota", `the account has ${maxLocks} locks, as many as it may`, {
        hint: `unlock some, or wait: each ends within ${longest / 60} minutes`,
      });
    }
    const token = `opaquelocktoken:${randomUUID()}`;
    const until = Date.now() + seconds * 1000;
    const { dir, name } = place;
    const entry: Lock = { token, account: account.id, dir, name, shared, deep, owner, until };
    store.locks.enter(entry);
    return entry;
  });
  if (found) return { lock: entered, made: false };
  try {
    const facts = { path, size: 0, modified: null, overwrite: "never", base: "fresh" } as const;
    await (await receive(session, facts)).commit(null, true);
    return { lock: entered, made: true };
  } catch (error) {
    if (error instanceof BargeError && error.kind === "exists") {
      return { lock: entered, made: false }; // made by another door meanwhile
    }
    store.locks.remove(entered.token);
    throw error;
  }
}

/**
 * Gives a lock more time: of those over a path, the first that one has the token of.
 *
 * @returns undefined where there is none
 */
export async function refresh(
  session: Session,
  path: string,
  tokens: ReadonlySet<string>,
  seconds: number,
  met: () => void,
): Promise<Lock | undefined> {
  const { store } = session;
  const place = changeable(session.locate(path));
  return await store.commits.enter(() => {
    met();
    const mine = store.locks.over(place).find((lock) => holds(session, lock, tokens));
    if (!mine) return undefined;
    const until = Date.now() + seconds * 1000;
    store.locks.extend(mine.token, until);
    return { ...mine, until };
  });
}

/**
 * Ends a lock that is over a path: one's own; an admin, any.
 *
 * @returns false where there is no such lock over it
 * @throws {BargeError} `denied` for another account's
 */
export async function unlock(session: Session, path: string, token: string): Promise<boolean> {
  const { store } = session;
  const account = session.accountNow();
  const { place } = session.locate(path);
  if (!place) return false;
  return await store.commits.enter(() => {
    const found = store.locks.over(place).find((lock) => lock.token === token);
    if (!found) return false;
    if (found.account !== account.id && account.role !== "admin") {
      throw new BargeError("denied", "the lock is another account's", { path });
    }
    store.locks.remove(token);
    return true;
  });
}

/** The locks over a path. @throws {BargeError} as `locate` */
export function locksOver(session: Session, path: string): Lock[] {
  const { place } = session.locate(path);
  return place ? session.store.locks.over(place) : [];
}

/** The locks on what is directly in a folder, by name, and the deep ones that are over all of it. */
export function locksIn(
  session: Session,
  path: string,
): { all: Lock[]; each: Map<string, Lock[]> } {
  const { place } = session.locate(path);
  if (!place) return { all: [], each: new Map() };
  const { locks } = session.store;
  const all = locks.over(place).filter((lock) => lock.deep);
  return { all, each: Map.groupBy(locks.in(place), (lock) => lock.name) };
}

/**
 * May this be changed by a client with these tokens? To be called under the write lock, with the
 * change.
 *
 * @param change `content`: its bytes or properties; `name`: it comes, goes or is replaced as a whole,
 *   which also changes the folder that it is in, and all that is below (section 7.4, 7.5)
 * @throws {Locked} when a lock over it, or of what is in it, has no token among them
 */
export function checkUnlocked(
  session: Session,
  path: string,
  tokens: ReadonlySet<string>,
  change: "content" | "name",
): void {
  const { place } = session.locate(path);
  if (!place) return;
  const { locks } = session.store;
  const groups = [locks.over(place)];
  if (change === "name") {
    const cut = place.dir.lastIndexOf("/");
    const folder = { dir: place.dir.slice(0, Math.max(0, cut)), name: place.dir.slice(cut + 1) };
    groups.push(locks.on(folder).filter((lock) => !lock.deep));
    groups.push(...Map.groupBy(locks.below(place), (lock) => `${lock.dir}/${lock.name}`).values());
  }
  // Of several shared locks on one thing, the token of one is enough.
  const missing = groups.filter((group) =>
    group.length > 0 && !group.some((lock) => holds(session, lock, tokens))
  );
  if (missing.length === 0) return;
  const paths = missing.slice(0, 100).map(([lock]) => lockedPath(lock));
  throw new Locked(paths, false, { path });
}

/** The path of what is locked, as its account sees it. */
export function lockedPath({ dir, name }: Place): string {
  const path = `/${dir}/${name}`;
  return path.replace(/^\/homes\/[^/]+/, "/home");
}

function holds(session: Session, lock: Lock, tokens: ReadonlySet<string>): boolean {
  return lock.account === session.id && tokens.has(lock.token);
}

/** @throws {Locked} when there is a lock over or below a place that another can't be beside */
function refuseConflict(session: Session, place: Place, shared: boolean, deep: boolean): void {
  const { locks } = session.store;
  const others = [...locks.over(place), ...deep ? locks.below(place) : []];
  const conflicts = shared ? others.filter((lock) => !lock.shared) : others;
  if (conflicts.length === 0) return;
  const paths = conflicts.slice(0, 100).map((lock) => lockedPath(lock));
  throw new Locked(paths, true);
}
