/**
 * The time of this process, which stands still until a test advances it: for code that measures by
 * `performance.now()`. Timers keep the real time.
 */
export class Clock implements Disposable {
  readonly #real = performance.now;
  #now = performance.now();

  constructor() {
    performance.now = () => this.#now;
  }

  /** Lets what is ready run, and lets time pass. */
  async advance(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    this.#now += ms;
  }

  [Symbol.dispose](): void {
    performance.now = this.#real;
  }
}
