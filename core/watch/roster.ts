/**
 * Who is connected, and what they are doing: of this isolate, and, through the supervisor, of all.
 *
 * A door enters each connection and says when it goes; the place that it gets is its to write in.
 * What leaves the isolate is bounded: so many connections, those with a request under way first, and
 * of a path the beginning and end.
 */
import type { DoorName, Metrics } from "./metrics.ts";

/** The most connections that are told of. */
export const maxListedConnections = 1000;

/** A request under way; its fields are read when somebody asks. */
export interface Doing {
  readonly verb: string | null;
  readonly path: string | null;
  /** Bytes of a file that it has moved so far. */
  readonly bytes: number;
}

/** A connection's place; its door keeps it up to date. */
export interface Presence {
  /** Who is logged in; null for a stranger. */
  account: string | null;
  /** The request under way; null between two. */
  doing: Doing | null;
  /** HOST:PORT of the other end; behind a proxy, of the client of the last request. */
  address: string;
  /** It is gone; more than once does nothing. */
  leave(): void;
}

/** A connection, as admins are told of it. */
export interface Present {
  readonly account: string | null;
  readonly door: DoorName;
  /** HOST:PORT of the other end. */
  readonly address: string;
  /** In ms since 1970. */
  readonly since: number;
  /** Of the request under way, as {@link Doing}; null and 0 when there is none. */
  readonly verb: string | null;
  readonly path: string | null;
  readonly bytes: number;
}

/** Asks the other isolates who is connected to them; those that don't answer in time are left out. */
export type Others = () => Promise<readonly Present[]>;

export class Roster {
  readonly #metrics: Metrics;
  readonly #present = new Set<Place>();
  /** How to ask the others; alone, there are none. */
  others: Others = () => Promise.resolve([]);

  /** @param metrics counts the connections */
  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** @param address HOST:PORT of the other end */
  enter(door: DoorName, address: string): Presence {
    this.#metrics.opened(door);
    const place = new Place(door, address, () => {
      if (this.#present.delete(place)) this.#metrics.closed(door);
    });
    this.#present.add(place);
    return place;
  }

  /** The connections of this isolate, at most {@link maxListedConnections}. */
  here(): Present[] {
    const busy: Place[] = [];
    const idle: Place[] = [];
    for (const place of this.#present) (place.doing ? busy : idle).push(place);
    return [...busy, ...idle].slice(0, maxListedConnections).map((place) => place.told());
  }

  /** Those of all isolates, at most {@link maxListedConnections}: with a request under way first, then by age. */
  async everywhere(): Promise<Present[]> {
    const all = [...this.here(), ...await this.others()];
    const rank = ({ verb, since }: Present) => [verb === null ? 1 : 0, since] as const;
    all.sort((a, b) => rank(a)[0] - rank(b)[0] || rank(a)[1] - rank(b)[1]);
    return all.slice(0, maxListedConnections);
  }
}

class Place implements Presence {
  account: string | null = null;
  doing: Doing | null = null;
  readonly leave: () => void;
  readonly #door: DoorName;
  address: string;
  readonly #since = Date.now();

  constructor(door: DoorName, address: string, leave: () => void) {
    this.#door = door;
    this.address = address;
    this.leave = leave;
  }

  told(): Present {
    const { verb = null, path = null, bytes = 0 } = this.doing ?? {};
    return {
      ...{ account: this.account, door: this.#door, address: this.address, since: this.#since },
      ...{ verb: verb && shorten(verb, 40), path: path && shorten(path, 300), bytes },
    };
  }
}

/** Takes the middle out of a long name. Lone surrogates, the client's or the cut's, become U+FFFD. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text.toWellFormed();
  const tail = Math.floor(most / 3);
  return `${text.slice(0, most - tail - 1)}…${text.slice(-tail)}`.toWellFormed();
}
