/** WebDAV's locks (RFC 4918, section 6). The verbs decide what a lock forbids: core/session/lock.ts. */
import type { Lock } from "./lock.ts";
import type { Place } from "./place.ts";
import type { Guard } from "./view.ts";

/** The longest time of a lock without a refresh, and the default, in seconds. */
export const maxLockSeconds = 3600;
export const defaultLockSeconds = 1800;

export interface LockStore {
  /** Returns the locks on a place, and the deep ones on the folders that it is in. */
  over(place: Place): Promise<readonly Lock[]>;
  /** Returns the locks on entries directly in a folder. */
  in(place: Place): Promise<readonly Lock[]>;
  /** Adds a lock. @throws {BargeError} as the guard; `over-quota` when the account has too many */
  add(lock: Lock, guard: Guard): Promise<void>;
  /**
   * Gives a lock another end, in ms since 1970.
   *
   * @param guard chooses the lock
   * @returns the lock; undefined where the guard chooses none
   */
  extend(until: number, guard: Guard<Lock | undefined>): Promise<Lock | undefined>;
  /** Ends the lock that the guard chooses. @returns whether it chose one */
  remove(guard: Guard<Lock | undefined>): Promise<boolean>;
}
