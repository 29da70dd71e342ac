/** A minimum transfer rate, so that a peer can't hold a connection by sending a byte now and then. */

/** The fewest bytes that a peer has to move in `periodMs` of waiting for it. */
export interface MinRate {
  readonly bytes: number;
  readonly periodMs: number;
}

/**
 * Measures one direction of a transfer against a minimum rate. Only the time spent waiting for the
 * peer counts, so that no peer is cut because the server is slow. Each `periodMs` of such time is judged as
 * a whole.
 *
 * @example
 * ```ts
 * import { RateMeter } from "./min_rate.ts";
 * const meter = new RateMeter({ bytes: 1000, periodMs: 60_000 });
 * if (meter.record(10, 30_000)) throw new Error("judged too early");
 * if (!meter.record(10, 30_000)) throw new Error("20 bytes in a minute are too few");
 * if (meter.record(2000, 120_000)) throw new Error("2000 in two minutes are not");
 * ```
 */
export class RateMeter {
  readonly minRate: MinRate;
  #bytes = 0;
  #waitedMs = 0;

  constructor(minRate: MinRate) {
    this.minRate = minRate;
  }

  /** Adds bytes that took `ms` of waiting. @returns whether the peer is too slow */
  record(bytes: number, ms: number): boolean {
    this.#bytes += bytes;
    this.#waitedMs += ms;
    if (this.#waitedMs < this.minRate.periodMs) return false;
    const slow = this.#isSlow();
    this.#bytes = this.#waitedMs = 0;
    return slow;
  }

  /**
   * Restarts the measurement if the peer has been too slow since it began.
   *
   * @returns the milliseconds that no longer count
   */
  restartIfSlow(): number {
    if (!this.#isSlow()) return 0;
    const waitedMs = this.#waitedMs;
    this.#bytes = this.#waitedMs = 0;
    return waitedMs;
  }

  #isSlow(): boolean {
    return this.#bytes * this.minRate.periodMs < this.minRate.bytes * this.#waitedMs;
  }
}
