/**
 * Due times of requests at a constant rate. Request k is due k/rate seconds after the start,
 * regardless of the requests before it. A stalled server therefore does not slow the schedule down,
 * and a request that was due during the stall counts from its due time. Without this, a stall of a
 * second would appear as one slow answer among thousands ("coordinated omission", Gil Tene).
 */
export class Pacer {
  readonly #start: number;
  readonly #rate: number;

  /**
   * @param start ms
   * @param rate requests a second
   */
  constructor(start: number, rate: number) {
    if (!(rate > 0)) throw new RangeError("a rate is above 0");
    this.#start = start;
    this.#rate = rate;
  }

  /** Returns when request k, from 0, is due, in ms. */
  due(k: number): number {
    return this.#start + k * 1000 / this.#rate;
  }
}
