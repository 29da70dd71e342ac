/**
 * When requests are due at a constant rate. Request k is due k/rate seconds after the start, whatever
 * became of those before it: a server that stalls does not slow the questions down, and what was due
 * while it did is counted from when it was due. (Else a stall of a second would be one slow answer of
 * thousands: "coordinated omission", as Gil Tene calls it.)
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

  /** When request k, from 0, is due, in ms. */
  due(k: number): number {
    return this.#start + k * 1000 / this.#rate;
  }

  /**
   * How many requests are due at a time.
   *
   * @example
   * ```ts
   * import { Pacer } from "./pacer.ts";
   * const pacer = new Pacer(1000, 100);
   * if (pacer.count(999) !== 0 || pacer.count(1000) !== 1 || pacer.count(1095) !== 10) throw new Error();
   * ```
   */
  count(now: number): number {
    return Math.max(0, Math.floor((now - this.#start) * this.#rate / 1000) + 1);
  }
}
