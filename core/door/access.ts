/**
 * The access log: one record for every request, at every door. Names that strangers chose are
 * properties of it, so that none can look like a record of its own (core/serve/log.ts); secrets are
 * not in it: neither proofs, verifiers and tokens, nor the text of a token that was sent as a name.
 */
import { getLogger } from "@logtape/logtape";
import { BargeError, type Kind } from "../error.ts";

/** The category of these records. */
export const accessCategory = ["barge", "access"] as const;
const log = getLogger(accessCategory);

/** What a record says. Tools read it: the names are frozen. */
export interface AccessFacts {
  /** Who is logged in, or tried to; null for a stranger. */
  readonly account: string | null;
  readonly door: string;
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
export class Access {
  account: string | null = null;
  bytes = 0;
  /** Will somebody else end it, later? */
  pending = false;
  /** Is it a login, or does it carry one? */
  login: boolean;
  readonly #arrived: Arrived;
  readonly #began = performance.now();
  #ended = false;

  /** @param arrived read when the record is written: a request may come to be known better */
  constructor(arrived: Arrived) {
    this.#arrived = arrived;
    this.login = arrived.verb === "proof";
  }

  /** Writes the record; the first call counts. A login that failed is a warning. */
  end(outcome: "ok" | Kind): void {
    if (this.#ended) return;
    this.#ended = true;
    const { door, address, verb, path, to } = this.#arrived;
    const level = this.login && outcome === "unauthenticated" ? "warning" : "info";
    if (!log.isEnabledFor(level)) return;
    const facts: AccessFacts = {
      account: this.account,
      door,
      address,
      verb: verb && shorten(verb, 40),
      path: path && shorten(path),
      ...to === undefined ? {} : { to: shorten(to) },
      bytes: this.bytes,
      ms: Math.round((performance.now() - this.#began) * 10) / 10,
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

/**
 * An account's name as a stranger gave it, for the record: null for what can't be one, and of a
 * token that was put there by mistake only its public part.
 *
 * @example
 * ```ts
 * import { claimed } from "./access.ts";
 * if (claimed("anna") !== "anna" || claimed("a\nb") !== null) throw new Error();
 * if (claimed("barge_0123456789ab_secret") !== "barge_0123456789ab_...") throw new Error();
 * ```
 */
export function claimed(name: string): string | null {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return null;
  return name.replace(/^(barge_[^_]*_).*/, "$1...");
}

/** A record fits one write of a pipe, whatever it holds: long paths lose their middle. */
function shorten(text: string, most = 300): string {
  if (text.length <= most) return text;
  const tail = Math.floor(most / 3);
  return `${text.slice(0, most - tail - 1)}…${text.slice(-tail)}`;
}
