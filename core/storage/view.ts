/**
 * Checks of a change, and what they look at.
 *
 * A verb does not look first and change afterwards: it hands storage a {@link Guard}, which storage
 * calls in the step that makes the change, when nothing else can change. A guard that throws refuses the
 * change. It is synchronous and has no side effects, since storage may call it more than once.
 */
import type { Account, Login } from "./account.ts";
import type { StoredEntry } from "./entry.ts";
import type { Place } from "./place.ts";

/** The state of storage in the moment of a change. */
export interface View {
  /** Returns the account of a login; undefined when the login has ended. */
  account(login: Login): Account | undefined;
  /** Returns whether an account exists and is not disabled. */
  isEnabled(account: number): boolean;
  /** Returns the file or folder at a place; undefined when the place is free. */
  entry(place: Place): StoredEntry | undefined;
  /** @throws {BargeError} `no-directory` unless the folder that a place is in exists */
  needFolder(place: Place): void;
}

/** The condition of a change. */
export interface Guard<T = void> {
  /** The places that {@link check} looks at: a storage elsewhere reads them beforehand. */
  readonly places: readonly Place[];
  /** Throws if the change may not be made. @returns what the caller wants to know of that moment */
  check(view: View): T;
}
