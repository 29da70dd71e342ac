/** Schedules of a load: the times at which each connection may send its next request. */

export interface Schedule {
  /**
   * Takes the next request of a connection that is free.
   *
   * @returns the time from which its latency counts, in ms; undefined when none is due
   */
  take(connection: number): number | undefined;
  /** Whether a request of the connection is due and not yet taken. */
  isDue(connection: number): boolean;
  /** Whether no further request will become due. */
  readonly exhausted: boolean;
}

/**
 * Each connection sends its next request as soon as the last one is answered. A slow server
 * receives fewer requests, and a latency is the time of service.
 */
export class ClosedLoop implements Schedule {
  #left: number;

  /** @param requests how many in all */
  constructor(requests: number = Infinity) {
    this.#left = requests;
  }

  take(): number | undefined {
    if (this.exhausted) return undefined;
    this.#left--;
    return performance.now();
  }

  isDue(): boolean {
    return false;
  }

  get exhausted(): boolean {
    return this.#left <= 0;
  }
}

/**
 * Requests become due by the clock: request k is due k/rate seconds after the start, regardless of the
 * requests before it, and belongs to connection k modulo the number of connections. A stalled server does
 * not slow this schedule down, and a request that was due during the stall counts from its due time.
 * Otherwise a stall of a second would appear as one slow answer among thousands ("coordinated omission",
 * Gil Tene).
 */
export class PacedSchedule implements Schedule {
  readonly #start: number;
  readonly #rate: number;
  readonly #requests: number;
  readonly #taken: number[];
  #released = 0;

  /** @param start ms @param rate requests a second @param requests how many in all */
  constructor(start: number, rate: number, connections: number, requests: number = Infinity) {
    if (!(rate > 0)) throw new RangeError("a rate is above 0");
    this.#start = start;
    this.#rate = rate;
    this.#requests = requests;
    this.#taken = new Array(connections).fill(0);
  }

  /** Releases the next request, if it is due. @returns its connection and when it was due, in ms */
  release(now: number): { readonly connection: number; readonly due: number } | undefined {
    if (this.exhausted || now < this.nextDue) return undefined;
    const k = this.#released++;
    return { connection: k % this.#taken.length, due: this.#due(k) };
  }

  /** The time at which the next request becomes due, in ms. */
  get nextDue(): number {
    return this.#due(this.#released);
  }

  take(connection: number): number | undefined {
    if (!this.isDue(connection)) return undefined;
    return this.#due(this.#number(connection, this.#taken[connection]!++));
  }

  isDue(connection: number): boolean {
    return this.#number(connection, this.#taken[connection]!) < this.#released;
  }

  get exhausted(): boolean {
    return this.#released >= this.#requests;
  }

  /** Returns when request k, from 0, is due, in ms. */
  #due(k: number): number {
    return this.#start + k * 1000 / this.#rate;
  }

  /** Returns the number of the request that is the connection's own i-th, both from 0. */
  #number(connection: number, i: number): number {
    return connection + i * this.#taken.length;
  }
}
