/**
 * Bounds the requests of a pipelined tree that are unanswered, and so the memory that they take on
 * both sides.
 */
export class Window {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  #count = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];
  readonly #flush: () => Promise<void>;

  /**
   * @param maxCount of unanswered files and other requests
   * @param maxBytes of unanswered requests; a single one may be larger
   * @param flush called before a wait: only sent requests are answered
   */
  constructor(maxCount: number, maxBytes: number, flush = () => Promise.resolve()) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
    this.#flush = flush;
  }

  /** Returns whether there is room, so that {@link enter} does not wait. */
  fits(bytes: number, count = 1): boolean {
    if (this.#count === 0) return true;
    return this.#count + count <= this.#maxCount && this.#bytes + bytes <= this.#maxBytes;
  }

  /**
   * Waits for room, and takes it. One caller at a time. A full window opens when it is half empty,
   * so that requests leave in batches.
   */
  async enter(bytes: number, count = 1): Promise<void> {
    if (!this.fits(bytes, count)) {
      await this.#flush().catch(() => {/* the answers fail as well */});
      while (
        this.#count > this.#maxCount / 2 || this.#bytes > this.#maxBytes / 2 ||
        !this.fits(bytes, count)
      ) await this.#change();
    }
    this.#count += count;
    this.#bytes += bytes;
  }

  /** Frees the room of an answered request. */
  leave(bytes: number, count = 1): void {
    this.#count -= count;
    this.#bytes -= bytes;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Waits until every request is answered. */
  async drained(): Promise<void> {
    while (this.#count > 0) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
