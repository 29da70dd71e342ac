/**
 * Writes the access log, one record for every request at every door, and counts requests in the
 * metrics. Names from clients are properties of a record, so that none can imitate a record
 * (core/serve/log.ts). Records have no secrets: no proofs, verifiers or tokens, and no unknown account
 * names, which may be passwords (core/login/log_name.ts).
 */
import { getLogger } from "@logtape/logtape";
import { BargeError, type Kind } from "../error.ts";
import type { DoorName, Metrics } from "../watch/metrics.ts";
import { type ActiveRequest, shorten } from "../watch/roster.ts";
import { beginSpan } from "../watch/tracing.ts";

/** The category of these records. */
export const accessCategory = ["barge", "access"] as const;
const log = getLogger(accessCategory);
/** The most characters of a path, so that a record fits one write of a pipe. */
const maxPathLength = 300;

/** The properties of a record. Tools read them: the names are frozen. */
export interface AccessFacts {
  /** The account that is logged in, or that a login named; `?` and a digest for an unknown name. */
  readonly account: string | null;
  readonly door: DoorName;
  /** HOST:PORT of the other end. */
  readonly address: string;
  /** Null for a malformed request. */
  readonly verb: string | null;
  readonly path: string | null;
  /** The new path of a copy or move. */
  readonly to?: string;
  /** The bytes of files that were received or sent. */
  readonly bytes: number;
  /** Milliseconds from the request's arrival to its answer. */
  readonly ms: number;
  readonly outcome: "ok" | Kind;
}

/** The properties that are known when a request arrives. */
type Arrived = Pick<AccessFacts, "door" | "address" | "verb" | "path" | "to">;

/** A request, from its arrival to its record. */
export class Access implements ActiveRequest {
  account: string | null = null;
  /** True if the record is written only after the request's handler has returned. */
  pending = false;
  /** True if each file of the request has a record of its own. The request then has one only if it fails. */
  split = false;
  /** True if the request is a login, or carries credentials. */
  login = false;
  #arrived: Arrived;
  readonly #began = performance.now();
  readonly #metrics: Metrics;
  readonly #endSpan: ReturnType<typeof beginSpan>;
  #bytes = 0;
  #ended = false;

  /**
   * @param arrived read when the record is written: the HTTP door learns the verb and path later
   * @param metrics counts the request, and its bytes as they move
   * @param traceparent the client's span, if it sends one
   */
  constructor(arrived: Arrived, metrics: Metrics, traceparent?: string) {
    this.#arrived = arrived;
    this.#metrics = metrics;
    this.#endSpan = beginSpan(this, traceparent);
  }

  get verb(): string | null {
    return this.#arrived.verb;
  }

  get path(): string | null {
    return this.#arrived.path;
  }

  /** Records the request as another verb and path, which its arguments determine. */
  becomes(verb: string, path: string): void {
    this.#arrived = { ...this.#arrived, verb, path };
  }

  /** The bytes of files that were received or sent so far. */
  get bytes(): number {
    return this.#bytes;
  }

  set bytes(bytes: number) {
    const direction = this.verb === "put" ? "received" : "sent";
    this.#metrics.addBytes(this.#arrived.door, direction, bytes - this.#bytes);
    this.#bytes = bytes;
  }

  /** Writes the record; later calls do nothing. A login that failed is a warning. */
  end(outcome: "ok" | Kind): void {
    if (this.#ended) return;
    this.#ended = true;
    const { door, address, verb, path, to } = this.#arrived;
    this.#endSpan?.({
      door,
      address,
      verb,
      path,
      outcome,
      account: this.account,
      bytes: this.bytes,
    });
    if (this.split && outcome === "ok") return;
    const ms = performance.now() - this.#began;
    this.#metrics.addRequest(door, verb, outcome, ms / 1000);
    const level = this.login && outcome === "unauthenticated" ? "warning" : "info";
    if (!log.isEnabledFor(level)) return;
    const facts: AccessFacts = {
      account: this.account,
      door,
      address,
      verb: verb && shorten(verb, 40),
      path: path && shorten(path, maxPathLength),
      ...to === undefined ? {} : { to: shorten(to, maxPathLength) },
      bytes: this.bytes,
      ms: Math.round(ms * 10) / 10,
      outcome,
    };
    if (level === "info") log.info("request", { ...facts });
    else log.warn("request", { ...facts });
  }
}

/** Returns the outcome of a request that failed. */
export function outcomeOf(error: unknown): Kind {
  return error instanceof BargeError ? error.kind : "io";
}
