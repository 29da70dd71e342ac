/**
 * Limits the rate at which this program sends and receives: a token bucket that several connections share.
 * The bucket holds a quarter of a second's bytes. The rate may change with the time of day.
 */
import { delay } from "../net/delay.ts";

const burstMs = 250;
/** The longest wait until the rate is read again. */
const maxWaitMs = 1000;
const minPieceBytes = 256;
const maxPieceBytes = 1024 * 1024;

/** The clock of a rate limit. */
export interface RateClock {
  /** A monotonic time, in ms. */
  now(): number;
  /** Waits. @throws the signal's reason, as soon as it is aborted */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

const systemClock: RateClock = { now: () => performance.now(), wait: delay };

export class RateLimit {
  readonly #perSecond: () => number;
  readonly #clock: RateClock;
  /** Bytes that may move at once; negative after more bytes moved than the rate allows. */
  #allowance = 0;
  #filledAt: number;
  /** The bytes a second that were allowed when the bucket was last filled. */
  #rate: number;

  /** @param perSecond returns the bytes a second that are allowed now; Infinity for no limit */
  constructor(perSecond: () => number, clock = systemClock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#filledAt = clock.now();
    this.#rate = perSecond();
  }

  /** The most bytes to move at a time, so that each wait is short. */
  get pieceBytes(): number {
    const quarter = Math.floor(this.#perSecond() * burstMs / 1000);
    return Math.max(minPieceBytes, Math.min(maxPieceBytes, quarter));
  }

  /**
   * Waits until the rate allows bytes: before they are sent, or after they were received.
   *
   * @throws the signal's reason, as soon as it is aborted
   */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    this.#fill();
    this.#allowance -= bytes;
    while (this.#allowance < 0) {
      const ms = -this.#allowance / this.#rate * 1000;
      await this.#clock.wait(Math.min(maxWaitMs, Math.ceil(ms)), signal);
      this.#fill();
    }
  }

  #fill(): void {
    const now = this.#clock.now();
    const seconds = (now - this.#filledAt) / 1000;
    if (seconds > 0) this.#allowance += this.#rate * seconds;
    this.#filledAt = now;
    this.#rate = this.#perSecond();
    const maxAllowance = this.#rate * burstMs / 1000;
    this.#allowance = Math.min(maxAllowance, this.#rate === Infinity ? Infinity : this.#allowance);
  }
}
