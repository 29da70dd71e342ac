/**
 * Clients that pause: a `put` whose source has nothing at the moment, a `get` whose bytes nobody takes.
 * Each sign of life renews the client's time, and the time since the last one is not held against its
 * pace. All such time of one request is taken from a budget, so that signs of life hold no connection
 * for ever: a client is below the floor for no longer than that.
 *
 * In a `put` the signs of life are part of the body. While an answer waits to be taken the client sends
 * pings, which are read ahead then, and answered as requests when the answer is through.
 */
import { BargeError } from "../../error.ts";
import type { Ahead } from "../../net/ahead.ts";
import type { Stream } from "../../net/stream.ts";

/** What clients are allowed, in ms. */
export interface PauseLimits {
  /** How often a client that pauses is to show that it is alive. */
  readonly every: number;
  /** How long one request may be paused in all. */
  readonly most: number;
}

/** PROTOCOL.md, "Limits and deadlines". */
export const pauseLimits: PauseLimits = { every: 5000, most: 6 * 3600_000 };

export class Pauses {
  readonly #limits: PauseLimits;
  readonly #stream: Stream;
  readonly #ahead: Ahead;
  readonly #cut: (reason: BargeError) => void;
  /** Milliseconds for which the request at hand was paused. */
  #spent = 0;
  #attending = false;

  /** @param cut ends the connection */
  constructor(
    limits: PauseLimits,
    stream: Stream,
    ahead: Ahead,
    cut: (reason: BargeError) => void,
  ) {
    this.#limits = limits;
    this.#stream = stream;
    this.#ahead = ahead;
    this.#cut = cut;
  }

  /** As `hello` says it, in seconds. */
  get announced(): { every: number; most: number } {
    const { every, most } = this.#limits;
    return { every: every / 1000, most: most / 1000 };
  }

  /** A request begins: it has all of the time. */
  begin(): void {
    this.#spent = 0;
  }

  /**
   * Forgives a client that shows in a body that it is alive the time for which it has sent nothing.
   *
   * @throws {BargeError} `unavailable` when the request was paused for too long
   */
  forgive(): void {
    this.#spend(this.#stream.paces?.read.forgive() ?? 0);
  }

  /** Reads ahead while a write waits: for what shows that the client is alive. Never throws. */
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

  /** Has no deadline: the write that waits has one. */
  #more(): Promise<number | null> {
    const { patience, paces } = this.#stream;
    this.#stream.patience = Infinity;
    this.#stream.paces = undefined;
    const reading = this.#ahead.more();
    this.#stream.patience = patience;
    this.#stream.paces = paces;
    return reading;
  }

  #spend(ms: number): void {
    this.#spent += ms;
    if (this.#spent <= this.#limits.most) return;
    const seconds = Math.round(this.#limits.most / 1000);
    throw new BargeError("unavailable", `it was paused for more than ${seconds} s in all`);
  }
}
