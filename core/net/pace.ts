/** The least that a peer must move while it is waited for: who trickles bytes holds a connection for ever. */

/** So many bytes in so many ms of waiting. */
export interface Floor {
  readonly bytes: number;
  readonly over: number;
}

/**
 * Watches one direction. Only the time spent waiting for the peer counts, so that a slow server cuts
 * nobody; it is judged each time that `over` ms of it have passed, on average.
 *
 * @example
 * ```ts
 * import { Pace } from "./pace.ts";
 * const pace = new Pace({ bytes: 1000, over: 60_000 });
 * if (pace.late(10, 30_000)) throw new Error("judged too early");
 * if (!pace.late(10, 30_000)) throw new Error("20 bytes in a minute are too few");
 * if (pace.late(2000, 120_000)) throw new Error("2000 in two are not");
 * ```
 */
export class Pace {
  readonly floor: Floor;
  #moved = 0;
  #waited = 0;

  constructor(floor: Floor) {
    this.floor = floor;
  }

  /** Notes bytes that took so many ms. @returns whether the peer is too slow */
  late(bytes: number, ms: number): boolean {
    this.#moved += bytes;
    this.#waited += ms;
    const { bytes: least, over } = this.floor;
    if (this.#waited < over) return false;
    const slow = this.#moved * over < least * this.#waited;
    this.#reset();
    return slow;
  }

  /**
   * Restarts the measurement if the peer was too slow until now.
   *
   * @returns the milliseconds that are left out
   */
  forgive(): number {
    const waited = this.#waited;
    if (this.#moved * this.floor.over >= this.floor.bytes * waited) return 0;
    this.#reset();
    return waited;
  }

  #reset(): void {
    this.#moved = 0;
    this.#waited = 0;
  }
}
