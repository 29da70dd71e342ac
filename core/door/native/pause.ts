/**
 * Lets clients pause: in a `put` whose source has no bytes at the moment, or in a `get` whose bytes the
 * client does not read now. Each keep-alive restarts the client's deadline, and the time since the last
 * byte does not count for the minimum pace. That time is taken from a budget of the request, which limits
 * how long a client can stay below the minimum pace.
 *
 * In a `put` the keep-alives are part of the body. A client that pauses in a `get` sends pings. They are
 * read while the answer to the `get` waits to be written, and answered after it, as other requests.
 */
import { BargeError } from "../../error.ts";
import type { ReadAhead } from "./read_ahead.ts";
import type { Stream } from "../../net/stream.ts";

/** Limits of pauses, in ms. */
export interface PauseLimits {
  /** The interval of keep-alives. */
  readonly every: number;
  /** The total time that one request may be paused. */
  readonly most: number;
}

export class Pauses {
  readonly #limits: PauseLimits;
  readonly #stream: Stream;
  readonly #ahead: ReadAhead;
  readonly #cut: (reason: BargeError) => void;
  /** The time that the current request was paused, in ms. */
  #spent = 0;
  #readingAhead = false;

  /** @param cut ends the connection */
  constructor(
    limits: PauseLimits,
    stream: Stream,
    ahead: ReadAhead,
    cut: (reason: BargeError) => void,
  ) {
    this.#limits = limits;
    this.#stream = stream;
    this.#ahead = ahead;
    this.#cut = cut;
  }

  /** The limits as `hello` states them, in seconds. */
  get announced(): { every: number; most: number } {
    const { every, most } = this.#limits;
    return { every: every / 1000, most: most / 1000 };
  }

  /** Begins a request, with the full budget. */
  begin(): void {
    this.#spent = 0;
  }

  /** Handles a keep-alive in a body. @throws {BargeError} `unavailable` after too long a pause */
  onKeepAlive(): void {
    this.#spend(this.#stream.rates?.read.restartIfSlow() ?? 0);
  }

  /** Reads ahead for keep-alives while a write waits. Never throws. */
  async readAhead(): Promise<void> {
    if (this.#readingAhead) return;
    this.#readingAhead = true;
    try {
      while (await this.#more()) {
        const waited = this.#stream.renewWrite();
        if (waited === undefined) return;
        this.#spend(waited);
      }
    } catch (error) {
      this.#cut(error as BargeError); // a stream throws nothing else
    } finally {
      this.#readingAhead = false;
    }
  }

  /** Reads without a deadline, since the waiting write has one. */
  #more(): Promise<number | null> {
    const { idleTimeoutMs, rates } = this.#stream;
    this.#stream.idleTimeoutMs = Infinity;
    this.#stream.rates = undefined;
    const reading = this.#ahead.more();
    this.#stream.idleTimeoutMs = idleTimeoutMs;
    this.#stream.rates = rates;
    return reading;
  }

  #spend(ms: number): void {
    this.#spent += ms;
    if (this.#spent <= this.#limits.most) return;
    const seconds = Math.round(this.#limits.most / 1000);
    throw new BargeError("unavailable", `the request was paused for more than ${seconds} s in all`);
  }
}
