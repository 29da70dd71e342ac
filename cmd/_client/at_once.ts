/** Runs work with a limit on the amount that is under way. */

/** The most requests of one command that are under way at once. */
export const maxRequests = 64;

export class AtOnce {
  readonly #max: number;
  readonly #pending = new Set<Promise<void>>();

  constructor(max = maxRequests) {
    this.#max = max;
  }

  /** Adds work, and waits while too much is under way. @throws the failure of any work */
  async add(work: Promise<void>): Promise<void> {
    const settled: Promise<void> = work.finally(() => this.#pending.delete(settled));
    settled.catch(() => {/* a later call throws it */});
    this.#pending.add(settled);
    if (this.#pending.size >= this.#max) await Promise.race(this.#pending);
  }

  /** Waits until all work is done. @throws the failure of any work */
  async done(): Promise<void> {
    await Promise.all(this.#pending);
  }
}
