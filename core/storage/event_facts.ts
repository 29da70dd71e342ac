/** Makes the events of changes. The order of the fields is the one in which receivers read them. */
import type { NewEvent } from "./events.ts";
import type { Attempt, Ban } from "./logins.ts";
import { pathOf } from "./path.ts";
import { type Place, relative } from "./place.ts";

/** The account that makes a change, and the door that it uses. */
interface Origin {
  /** The name of the account; null where it is not known, after a crash. */
  readonly account: string | null;
  /** The door; null for none. */
  readonly door: string | null;
}

/** A file that an upload or a copy became. */
export interface CommittedFile extends Place, Origin {
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly verified: boolean;
  readonly replaced: boolean;
}

type EntryType = "file" | "dir" | "other";

export function commitEvent(file: CommittedFile): NewEvent {
  const { account, size, sha256, modified, verified, door, replaced } = file;
  const content = { size, sha256, modified: new Date(modified).toISOString(), verified };
  return {
    places: [relative(file)],
    facts: {
      ...{ event: "commit", account, path: pathOf(file), ...content, door, replaced },
      time: now(),
    },
  };
}

export function moveEvent(
  { from, to, type, account, door }: Origin & { from: Place; to: Place; type: EntryType },
): NewEvent {
  const paths = { path: pathOf(to), from: pathOf(from), type };
  return {
    places: [relative(from), relative(to)],
    facts: { event: "move", account, ...paths, door, time: now() },
  };
}

export function removeEvent(
  { place, type, account, door }: Origin & { place: Place; type: EntryType },
): NewEvent {
  return {
    places: [relative(place)],
    facts: { event: "remove", account, path: pathOf(place), type, door, time: now() },
  };
}

export function mkdirEvent({ place, account, door }: Origin & { place: Place }): NewEvent {
  return {
    places: [relative(place)],
    facts: { event: "mkdir", account, path: pathOf(place), door, time: now() },
  };
}

/**
 * Makes the event of a failed login.
 *
 * @param account see `failedAccount`
 * @param address the client's address or network, as failures are counted
 */
export function loginFailedEvent(
  account: string,
  address: string,
  mechanism: Attempt["mechanism"],
): NewEvent {
  return {
    places: [loginPlace(address)],
    facts: { event: "login-failed", account, address, mechanism, time: now() },
  };
}

export function banEvent({ account, address, until, times }: Ban): NewEvent {
  const term = { until: new Date(until).toISOString(), times };
  return {
    places: [loginPlace(address ?? "")],
    facts: { event: "ban", account, address, ...term, time: now() },
  };
}

export function accountAddedEvent(account: string, role: string): NewEvent {
  return accountEvent({ event: "account-added", account, role, time: now() });
}

/** @param change the changed fields; their values are not reported */
export function accountChangedEvent(account: string, change: object): NewEvent {
  const names: Readonly<Record<string, string>> = { limit: "quota", verifier: "password" };
  const changed = Object.entries(change).filter(([, value]) => value !== undefined)
    .map(([field]) => names[field] ?? field);
  return accountEvent({ event: "account-changed", account, changed, time: now() });
}

export function accountRemovedEvent(account: string): NewEvent {
  return accountEvent({ event: "account-removed", account, time: now() });
}

/** Returns whether clients without a login can cause an event of these places. */
export function isByStranger([place]: readonly string[]): boolean {
  return place?.startsWith("logins/") ?? false;
}

/** An account's events are in order with those of the files in its home. */
function accountEvent(facts: NewEvent["facts"]): NewEvent {
  return { places: [`homes/${facts.account}`], facts };
}

function loginPlace(address: string): string {
  return `logins/${address.replaceAll("/", "_")}`;
}

function now(): string {
  return new Date().toISOString();
}
