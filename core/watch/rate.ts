/**
 * How quickly an account may send, or be sent: a token bucket for each account in each worker, which
 * holds what one second brings. A worker's bucket fills at the part of the rate that is its part of
 * the account's connections (gate.ts), so that all workers together keep to the rate wherever the
 * system lets the connections land. Within a worker connections are served in the order in which they
 * ask.
 *
 * Invariants: over any time t, an account moves at most rate * t, and what one second brings in each
 * worker, beside pieces that were on their way when a connection came to another worker. Buckets that
 * are full again are forgotten.
 */

/** Bytes a second; an account that is held to fewer would take the server for dead. */
export const leastRate = 1024;
/** Milliseconds that a bucket holds. */
const burst = 1000;
const longestPiece = 64 * 1024;
const shortestPiece = 256;
const crowd = 1024;

export class Rate {
  readonly #perSecond: number;
  readonly #share: (account: number) => number;
  readonly #now: () => number;
  /** When an account's bucket will be empty of debts; a full one's time is `burst` ago. */
  readonly #paid = new Map<number, number>();
  /** With so many buckets the full ones are looked for. */
  #crowd = crowd;

  /**
   * @param perSecond bytes, for an account in all workers together
   * @param share an account's part in this worker, 0 to 1
   * @param now milliseconds of a clock that only goes forward
   */
  constructor(
    perSecond: number,
    share: (account: number) => number,
    now: () => number = () => performance.now(),
  ) {
    this.#perSecond = perSecond;
    this.#share = share;
    this.#now = now;
  }

  /** How many bytes to move at a time, so that the wait for them is a short one. */
  piece(account: number): number {
    const quarter = Math.floor(this.#rate(account) * burst / 4);
    return Math.max(shortestPiece, Math.min(longestPiece, quarter));
  }

  /** Takes bytes out. @returns milliseconds to wait until the account has had time for them */
  take(account: number, bytes: number): number {
    const now = this.#now();
    if (this.#paid.size >= this.#crowd) {
      for (const [id, paid] of this.#paid) if (paid <= now - burst) this.#paid.delete(id);
      this.#crowd = Math.max(crowd, 2 * this.#paid.size);
    }
    const from = Math.max(this.#paid.get(account) ?? -Infinity, now - burst);
    const paid = from + bytes / this.#rate(account);
    this.#paid.set(account, paid);
    return Math.max(0, paid - now);
  }

  /** Bytes a millisecond. */
  #rate(account: number): number {
    // A connection counts from its login on; what it was answered with that may be under way.
    return this.#perSecond * (this.#share(account) || 1) / 1000;
  }
}
