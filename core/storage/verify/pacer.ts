/** A bound on the bytes that a check reads in a second. */
import { delay } from "../../net/delay.ts";

/** A clock, in ms. Tests have their own. */
interface Clock {
  now(): number;
  /** Waits. @throws the signal's reason, as soon as it is aborted */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

const realClock: Clock = { now: () => performance.now(), wait: delay };

export class Pacer {
  readonly #maxBytesPerSecond: number | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;
  /** The time from which more bytes may be read. */
  #readyAt = 0;

  /** @param maxBytesPerSecond undefined: no bound */
  constructor(
    maxBytesPerSecond: number | undefined,
    signal?: AbortSignal,
    clock: Clock = realClock,
  ) {
    this.#maxBytesPerSecond = maxBytesPerSecond;
    this.#signal = signal;
    this.#clock = clock;
  }

  /** Waits until a number of bytes may be read. @throws the signal's reason */
  async admit(bytes: number): Promise<void> {
    this.#signal?.throwIfAborted();
    if (this.#maxBytesPerSecond === undefined) return;
    const now = this.#clock.now();
    const start = Math.max(now, this.#readyAt);
    this.#readyAt = start + bytes * 1000 / this.#maxBytesPerSecond;
    if (start > now) await this.#clock.wait(start - now, this.#signal);
  }
}
