/** When each connection of a load may send its next request. */
import { Pacer } from "./pacer.ts";

export interface Schedule {
  /**
   * Takes the next request of a connection that is free.
   *
   * @returns the time from which its latency counts, in ms; undefined when none is due
   */
  take(connection: number): number | undefined;
  /** Whether a request of the connection is due and not yet taken. */
  owes(connection: number): boolean;
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

  owes(): boolean {
    return false;
  }

  get exhausted(): boolean {
    return this.#left <= 0;
  }
}

/** Requests become due by the clock; request k belongs to connection k modulo their number. */
export class PacedSchedule implements Schedule {
  readonly #pacer: Pacer;
  readonly #requests: number;
  readonly #taken: number[];
  #released = 0;

  /** @param start ms @param rate requests a second @param requests how many in all */
  constructor(start: number, rate: number, connections: number, requests: number = Infinity) {
    this.#pacer = new Pacer(start, rate);
    this.#requests = requests;
    this.#taken = new Array(connections).fill(0);
  }

  /** Releases the next request, if it is due. @returns its connection and when it was due, in ms */
  release(now: number): { readonly connection: number; readonly due: number } | undefined {
    if (this.exhausted || now < this.nextDue) return undefined;
    const k = this.#released++;
    return { connection: k % this.#taken.length, due: this.#pacer.due(k) };
  }

  /** When the first request that is not released becomes due, in ms. */
  get nextDue(): number {
    return this.#pacer.due(this.#released);
  }

  take(connection: number): number | undefined {
    if (!this.owes(connection)) return undefined;
    return this.#pacer.due(this.#number(connection, this.#taken[connection]!++));
  }

  owes(connection: number): boolean {
    return this.#number(connection, this.#taken[connection]!) < this.#released;
  }

  get exhausted(): boolean {
    return this.#released >= this.#requests;
  }

  /** Returns the number of the request that is the connection's own i-th, both from 0. */
  #number(connection: number, i: number): number {
    return connection + i * this.#taken.length;
  }
}
