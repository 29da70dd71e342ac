/**
 * How much may be on its way without an answer: bounds what a pipelined tree holds in memory and in
 * the kernel's buffers, on both sides.
 */
export class Window {
  readonly #most: { readonly count: number; readonly bytes: number };
  #count = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];
  readonly #flush: () => Promise<void>;

  /**
   * @param count files, or other requests, that may be unanswered
   * @param bytes of them; a single request may be larger
   * @param flush called before somebody waits for room: what is gathered has to leave to be answered
   */
  constructor(count: number, bytes: number, flush = () => Promise.resolve()) {
    this.#most = { count, bytes };
    this.#flush = flush;
  }

  /** Is there room, so that {@link enter} will not wait? */
  fits(bytes: number, count = 1): boolean {
    if (this.#count === 0) return true;
    return this.#count + count <= this.#most.count && this.#bytes + bytes <= this.#most.bytes;
  }

  /**
   * Waits for room, and takes it; for one caller at a time. Once it is full it waits until it is
   * half empty, so that requests leave in batches and not one by one.
   */
  async enter(bytes: number, count = 1): Promise<void> {
    if (!this.fits(bytes, count)) {
      await this.#flush().catch(() => {/* whoever waits for an answer is told */});
      const most = this.#most;
      while (
        this.#count > most.count / 2 || this.#bytes > most.bytes / 2 || !this.fits(bytes, count)
      ) await this.#change();
    }
    this.#count += count;
    this.#bytes += bytes;
  }

  /** Gives the room back. */
  leave(bytes: number, count = 1): void {
    this.#count -= count;
    this.#bytes -= bytes;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Waits until nothing is on its way. */
  async drained(): Promise<void> {
    while (this.#count > 0) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
