/**
 * Lets clients pause: in a `put` whose source has no bytes at the moment, or a `get` whose bytes are
 * not read. Each sign of life restarts the client's deadline, and its pace does not count the time since
 * the last byte. This time is taken from a budget of the request, so that a client can't stay below the
 * minimum pace for longer.
 *
 * In a `put` the signs of life are part of the body. A client that does not read an answer sends pings,
 * which are read ahead, and answered as requests after that answer.
 */
import { BargeError } from "../../error.ts";
import type { ReadAhead } from "../../net/read_ahead.ts";
import type { Stream } from "../../net/stream.ts";

/** Limits of pauses, in ms. */
export interface PauseLimits {
  /** The interval of signs of life. */
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
  #attending = false;

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

  /** Handles a sign of life in a body. @throws {BargeError} `unavailable` after too long a pause */
  forgive(): void {
    this.#spend(this.#stream.rates?.read.restartIfSlow() ?? 0);
  }

  /** Reads ahead for signs of life while a write waits. Never throws. */
  async attend(): Promise<void> {
    if (this.#attending) return;
    this.#attending = true;
    try {
      while (await this.#more()) {
        const waited = this.#stream.renewWrite();
        if (waited === undefined) return;
        this.#spend(waited);
      }
    } catch (error) {
      this.#cut(error as BargeError); // a stream throws nothing else
    } finally {
      this.#attending = false;
    }
  }

  /** Has no deadline of its own; the waiting write has one. */
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
    throw new BargeError("unavailable", `it was paused for more than ${seconds} s in all`);
  }
}
