/**
 * The open connections and their requests: those of this isolate, and, through the supervisor, those of all
 * isolates. Lists are bounded: connections with a request under way come first, and long paths are shortened.
 */
import type { DoorName, Metrics } from "./metrics.ts";

export const maxListedConnections = 1000;
const maxVerbCharacters = 40;
const maxPathCharacters = 300;

/** A request under way; its fields are read when connections are listed. */
export interface ActiveRequest {
  readonly verb: string | null;
  readonly path: string | null;
  /** Bytes of a file moved so far. */
  readonly bytes: number;
}

/** The record of a connection, which its door keeps up to date. */
export interface Presence {
  /** The name of the account; null before the login. */
  account: string | null;
  /** The request under way; null between requests. */
  doing: ActiveRequest | null;
  /** HOST:PORT of the other end; behind a proxy, of the client of the last request. */
  address: string;
  /** Removes the record; later calls do nothing. */
  leave(): void;
}

/** A connection, as admins see it: between requests with null, null and 0 for the request. */
export interface ListedConnection
  extends ActiveRequest, Readonly<Pick<Presence, "account" | "address">> {
  readonly door: DoorName;
  /** The time when it was opened, in ms since 1970. */
  readonly since: number;
}

/** Lists the connections of the other isolates, without those that don't reply in time. */
export type ListOthers = () => Promise<readonly ListedConnection[]>;

export class Roster {
  readonly #metrics: Metrics;
  readonly #connections = new Set<Connection>();
  /** Lists the connections of the other isolates. By default there are no others. */
  others: ListOthers = () => Promise.resolve([]);

  /** @param metrics counts the connections */
  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Adds a connection. @param address HOST:PORT of the other end */
  enter(door: DoorName, address: string): Presence {
    this.#metrics.opened(door);
    const connection = new Connection(door, address, this.#metrics, () => {
      if (this.#connections.delete(connection)) this.#metrics.closed(door);
    });
    this.#connections.add(connection);
    return connection;
  }

  /** Lists the connections of this isolate, at most {@link maxListedConnections}. */
  here(): ListedConnection[] {
    const { busy = [], idle = [] } = Object.groupBy(
      this.#connections,
      ({ doing }) => doing ? "busy" : "idle",
    );
    return [...busy, ...idle].slice(0, maxListedConnections).map(listed);
  }

  /** Lists connections of all isolates, as many as {@link here}; those with a request first, then the oldest. */
  async everywhere(): Promise<ListedConnection[]> {
    const all = [...this.here(), ...await this.others()];
    const idle = ({ verb }: ListedConnection) => verb === null ? 1 : 0;
    all.sort((a, b) => idle(a) - idle(b) || a.since - b.since);
    return all.slice(0, maxListedConnections);
  }
}

class Connection implements Presence {
  readonly door: DoorName;
  /** The time when it was opened, in ms since 1970. */
  readonly since = Date.now();
  account: string | null = null;
  address: string;
  readonly #metrics: Metrics;
  readonly #onLeave: () => void;
  #doing: ActiveRequest | null = null;
  #left = false;

  constructor(door: DoorName, address: string, metrics: Metrics, onLeave: () => void) {
    this.door = door;
    this.address = address;
    this.#metrics = metrics;
    this.#onLeave = onLeave;
  }

  get doing(): ActiveRequest | null {
    return this.#doing;
  }

  set doing(doing: ActiveRequest | null) {
    if (this.#left) return;
    if (doing && !this.#doing) this.#metrics.addBusy(this.door, 1);
    if (!doing && this.#doing) this.#metrics.addBusy(this.door, -1);
    this.#doing = doing;
  }

  leave(): void {
    this.doing = null;
    this.#left = true;
    this.#onLeave();
  }
}

function listed({ account, door, address, since, doing }: Connection): ListedConnection {
  const { verb = null, path = null, bytes = 0 } = doing ?? {};
  return {
    account,
    door,
    address,
    since,
    verb: verb && shorten(verb, maxVerbCharacters),
    path: path && shorten(path, maxPathCharacters),
    bytes,
  };
}

/** Cuts the middle out of a long text. Lone surrogates become U+FFFD. */
export function shorten(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text.toWellFormed();
  const tail = Math.floor(maxLength / 3);
  return `${text.slice(0, maxLength - tail - 1)}…${text.slice(-tail)}`.toWellFormed();
}
