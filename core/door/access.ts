/**
 * The access log: one record for every request, at every door; and its place in the metrics. Names that strangers chose are
 * properties of it, so that none can look like a record of its own (core/serve/log.ts); secrets are
 * not in it: neither proofs, verifiers and tokens, nor a name that no account has, which may be a
 * password (session/claimed.ts).
 */
import { getLogger } from "@logtape/logtape";
import { BargeError, type Kind } from "../error.ts";
import type { DoorName, Metrics } from "../watch/metrics.ts";
import { type ActiveRequest, shorten } from "../watch/roster.ts";

/** The category of these records. */
export const accessCategory = ["barge", "access"] as const;
const log = getLogger(accessCategory);
/** A record fits one write of a pipe, whatever its path is. */
const longest = 300;

/** What a record says. Tools read it: the names are frozen. */
export interface AccessFacts {
  /** The account that is logged in, or that a login named; `?` and a digest for an unknown name. */
  readonly account: string | null;
  readonly door: DoorName;
  /** HOST:PORT of the other end. */
  readonly address: string;
  /** Null for what was no request at all. */
  readonly verb: string | null;
  readonly path: string | null;
  /** The new path of a copy or move. */
  readonly to?: string;
  /** How many of a file were received or sent for it. */
  readonly bytes: number;
  /** Milliseconds from the request's arrival to its answer. */
  readonly ms: number;
  readonly outcome: "ok" | Kind;
}

/** What is known of a request when it arrives. */
export type Arrived = Pick<AccessFacts, "door" | "address" | "verb" | "path" | "to">;

/** One request, from its arrival to its record. */
export class Access implements ActiveRequest {
  account: string | null = null;
  /** Will somebody else end it, later? */
  pending = false;
  /** Does each of its files have a record of its own? Then a success has none. */
  split = false;
  /** Is it a login, or does it carry one? */
  login: boolean;
  #arrived: Arrived;
  readonly #began = performance.now();
  readonly #metrics: Metrics;
  #bytes = 0;
  #ended = false;

  /**
   * @param arrived read when the record is written: a request may come to be known better
   * @param metrics what counts the request, and its bytes as they move
   */
  constructor(arrived: Arrived, metrics: Metrics) {
    this.#arrived = arrived;
    this.#metrics = metrics;
    this.login = arrived.verb === "proof";
  }

  get verb(): string | null {
    return this.#arrived.verb;
  }

  get path(): string | null {
    return this.#arrived.path;
  }

  /** Records the request as another verb or path, where its arguments say more than its name. */
  becomes(verb: string, path: string): void {
    this.#arrived = { ...this.#arrived, verb, path };
  }

  /** Bytes of a file that were received or sent for it. */
  get bytes(): number {
    return this.#bytes;
  }

  set bytes(bytes: number) {
    const way = this.verb === "put" ? "received" : "sent";
    this.#metrics.moved(this.#arrived.door, way, bytes - this.#bytes);
    this.#bytes = bytes;
  }

  /** Writes the record; the first call counts. A login that failed is a warning. */
  end(outcome: "ok" | Kind): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.split && outcome === "ok") return;
    const { door, address, verb, path, to } = this.#arrived;
    const ms = performance.now() - this.#began;
    this.#metrics.ended(door, verb, outcome, ms / 1000);
    const level = this.login && outcome === "unauthenticated" ? "warning" : "info";
    if (!log.isEnabledFor(level)) return;
    const facts: AccessFacts = {
      account: this.account,
      door,
      address,
      verb: verb && shorten(verb, 40),
      path: path && shorten(path, longest),
      ...to === undefined ? {} : { to: shorten(to, longest) },
      bytes: this.bytes,
      ms: Math.round(ms * 10) / 10,
      outcome,
    };
    if (level === "info") log.info("request", { ...facts });
    else log.warn("request", { ...facts });
  }
}

/** What a request came to that ended in this. */
export function outcomeOf(error: unknown): Kind {
  return error instanceof BargeError ? error.kind : "io";
}
