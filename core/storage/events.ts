/**
 * Events that a server delivers to programs and other servers: the outbox of storage.
 *
 *   written, in the transaction of the change -> waiting -> delivered: deleted
 *                                               |    ^ \-> dropped: by a bound, or by the operator
 *                                               v    |
 *                                              failed, until its next attempt is due
 *
 * Invariants: a row exists from the commit of its change until its target has confirmed it, so an event is
 * delivered at least once. Each row is for one target, so that no target holds up another one. The ids of
 * events that touch the same place ascend in the order in which their changes were committed.
 *
 * A server that delivers nothing writes no rows.
 */

/** The kinds of events. Receivers read them, so they are frozen; new ones may be added. */
export const eventKinds = [
  "commit",
  "move",
  "remove",
  "mkdir",
  "login-failed",
  "ban",
  "account-added",
  "account-changed",
  "account-removed",
] as const;
export type EventKind = typeof eventKinds[number];

/** The JSON of an event. The names of its fields are frozen: see event_facts.ts. */
export interface EventFacts {
  readonly event: EventKind;
  /** RFC 3339. */
  readonly time: string;
  readonly [field: string]: string | number | boolean | null | readonly string[];
}

/** An event that has just happened. */
export interface NewEvent {
  /**
   * The paths below the data directory that it touches. Events are delivered in order if a path of one is the
   * same as a path of the other, or above it.
   */
  readonly places: readonly string[];
  readonly facts: EventFacts;
}

/** A program or server to which events are delivered; plain data. */
export interface EventTarget {
  /** Identifies it in rows, lists and logs: `on-commit`, or the host of a URL and a part of its digest. */
  readonly name: string;
  /** Whether it gets only events of the kind `commit`. */
  readonly commitsOnly: boolean;
}

/** The columns of a row: the name of the target, and the places and the facts in JSON. */
type EventRow = [target: string, places: string, facts: string];

/** Returns the rows of events, one for each target that gets the event. */
export function eventRows(
  targets: readonly EventTarget[],
  events: readonly NewEvent[],
): EventRow[] {
  return targets.flatMap(({ name, commitsOnly }) =>
    events.filter(({ facts }) => !commitsOnly || facts.event === "commit")
      .map(({ places, facts }): EventRow => [name, JSON.stringify(places), JSON.stringify(facts)])
  );
}

/** An event that waits for its delivery, without its facts. */
export interface WaitingEvent {
  readonly id: number;
  /** As in {@link NewEvent}. */
  readonly places: readonly string[];
  /** The time when it happened, in ms since 1970, by the clock of storage. */
  readonly at: number;
  /** The number of failed attempts. */
  readonly attempts: number;
  /** The time until its next attempt, in ms; 0 or less: now. */
  readonly dueInMs: number;
}

/** An event as the operator sees it. */
export interface ListedEvent extends WaitingEvent {
  readonly target: string;
  /** JSON: {@link EventFacts}. */
  readonly facts: string;
  /** The reason why the last attempt failed; null before the first failure. */
  readonly error: string | null;
}

/** Events to retry or drop: those with one of the ids, or all; of one target, or of each. */
export interface EventSelection {
  readonly ids?: readonly number[];
  readonly target?: string;
  /** Only those that have failed. */
  readonly failing?: boolean;
}

/** The right to deliver the events of a target. */
export interface Lead {
  /** The time for which no other server delivers them, in ms. */
  readonly validMs: number;
  /** Changes whenever an operator has retried or dropped events. */
  readonly generation: number;
}

export interface EventStore {
  /** Records the targets of this server, for which commands write events, too. */
  configure(targets: readonly EventTarget[]): Promise<void>;
  /**
   * Takes or renews the lead for a target.
   *
   * @param server identifies this start of the server
   * @returns undefined while another server has it
   */
  lead(target: string, server: string): Promise<Lead | undefined>;
  /** Gives the lead up, so that another server need not wait for its end. */
  resign(target: string, server: string): Promise<void>;
  /**
   * Returns a page of the events that wait for a target, by their ids.
   *
   * @param after only events with a higher id
   * @returns `settled`: no event with an id up to this one will appear any more
   */
  waiting(
    target: string,
    after: number,
    limit: number,
  ): Promise<{ readonly events: readonly WaitingEvent[]; readonly settled: number }>;
  /** Returns the facts of an event, as JSON; undefined when it is gone. */
  facts(id: number): Promise<string | undefined>;
  /** Deletes events that were delivered or dropped. */
  remove(ids: readonly number[]): Promise<void>;
  /** Records failed attempts. */
  postpone(
    failures: readonly { readonly id: number; readonly inMs: number; readonly error: string }[],
  ): Promise<void>;
  /** Deletes the events of all targets that are older than an age in ms. @returns their number */
  removeOlder(ageMs: number): Promise<number>;
  /** Returns events by their ids. @param limit the most of them */
  list(
    selection: Pick<EventSelection, "target" | "failing">,
    limit: number,
  ): Promise<readonly ListedEvent[]>;
  /** Makes events due now. @returns their number */
  retry(selection: EventSelection): Promise<number>;
  /** Deletes events undelivered. @returns their number */
  drop(selection: EventSelection): Promise<number>;
}
