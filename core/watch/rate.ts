/**
 * Limits the rate at which an account sends or receives: a token bucket for each account in each worker,
 * which holds one second's bytes. A worker's bucket fills at the rate times the worker's share of the
 * account's connections (gate.ts), so all workers together keep the rate however the system distributes
 * the connections. Within a worker connections are served in the order of their calls.
 *
 * Invariant: in any time t an account moves at most rate * t, plus one second's bytes in each worker, plus
 * the pieces that are under way in the other workers when a new connection changes their shares. Full
 * buckets are dropped.
 */

/** The lowest limit. Below it, transfers would be so slow that clients would give up. */
export const minRateBytesPerSecond = 1024;
const burstMs = 1000;
const maxPieceBytes = 64 * 1024;
const minPieceBytes = 256;
const minSweepBuckets = 1024;

export class Rate {
  readonly #perSecond: number;
  readonly #share: (account: number) => number;
  readonly #now: () => number;
  /**
   * For each account, the time at which its rate has allowed all bytes that were taken. A time of `burstMs`
   * ago or earlier means a full bucket.
   */
  readonly #paidUntil = new Map<number, number>();
  /** The number of buckets at which full ones are dropped. */
  #sweepBuckets = minSweepBuckets;

  /**
   * @param perSecond bytes of an account in all workers together
   * @param share returns this worker's share of an account's connections, 0 to 1
   * @param now a monotonic clock, in ms
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

  /** Returns the number of bytes to move at a time, so that each wait is short. */
  piece(account: number): number {
    const quarter = Math.floor(this.#bytesPerMs(account) * burstMs / 4);
    return Math.max(minPieceBytes, Math.min(maxPieceBytes, quarter));
  }

  /** Takes bytes from an account's bucket. @returns how long to wait before they move, in ms */
  take(account: number, bytes: number): number {
    const now = this.#now();
    if (this.#paidUntil.size >= this.#sweepBuckets) {
      for (const [id, paid] of this.#paidUntil) {
        if (paid <= now - burstMs) this.#paidUntil.delete(id);
      }
      this.#sweepBuckets = Math.max(minSweepBuckets, 2 * this.#paidUntil.size);
    }
    const from = Math.max(this.#paidUntil.get(account) ?? -Infinity, now - burstMs);
    const paid = from + bytes / this.#bytesPerMs(account);
    this.#paidUntil.set(account, paid);
    return Math.max(0, paid - now);
  }

  #bytesPerMs(account: number): number {
    // A share of 0: the login of the account's first connection is not counted yet.
    return this.#perSecond * (this.#share(account) || 1) / 1000;
  }
}
