/**
 * Guards: the checks of a change, and the view of storage that they read.
 *
 * Storage calls the {@link Guard} of a change in the step that makes the change, when nothing else can
 * change. A guard that throws refuses the change. It is synchronous and has no side effects, since
 * storage may call it more than once.
 */
import type { Account, Login } from "./account.ts";
import type { AuditEntry } from "./audit/audit.ts";
import type { ForeignEntry, StoredEntry } from "./entry.ts";
import type { Lock } from "./lock.ts";
import type { Place } from "./place.ts";

/** The state of storage in the moment of a change. */
export interface View {
  /** Returns the account of a login; undefined when the login has ended. */
  account(login: Login): Account | undefined;
  /** Returns whether an account exists and may log in. */
  isEnabled(account: number): boolean;
  /** Returns the file or folder at a place; undefined when the place is free. */
  entry(place: Place): StoredEntry | undefined;
  /** Checks that the folder of a place exists. @throws {BargeError} `no-directory` if it does not */
  needFolder(place: Place): void;
  /** Returns whether a folder has no entries, not even ones that no door shows. */
  isEmpty(place: Place): boolean;
  /** Finds a file at, in or below a place that is not charged to an account. */
  foreignFile(place: Place, account: number): ForeignEntry | undefined;
  /** Returns whether the folder at a place, or one below it, is an entry of another account. */
  hasForeignFolder(place: Place, account: number): boolean;
  /** Returns the locks on a place, and the deep ones on the folders that it is in. */
  locksOver(place: Place): readonly Lock[];
  /** Returns the locks on a place itself. */
  locksOn(place: Place): readonly Lock[];
  /** Returns the locks in and below a folder. */
  locksBelow(place: Place): readonly Lock[];
}

/** A client's own condition: throws unless it holds. */
export type Condition = (view: View) => void;

/** The condition of a change. */
export interface Guard<T = void> {
  /**
   * The places that {@link check} reads, as far as they are known. Shared storage reads them all at once
   * before the check. If the check needs another place, the storage reads that place and runs the check again.
   */
  readonly places: readonly Place[];
  /** The door of the client that asks for the change, for its event; null or absent for none. */
  readonly door?: string | null;
  /** Throws if the change may not be made. @returns facts of that moment, for the caller of the change */
  check(view: View): T;
  /** The record of the change in the audit trail, which the step that makes the change adds. Default: none. */
  readonly record?: AuditEntry;
}
