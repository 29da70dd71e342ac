/**
 * The time of this process, which stands still until a test advances it: `performance.now()`, and the intervals
 * and `AbortSignal.timeout`s that begin meanwhile. `setTimeout` keeps the real time.
 */
export class Clock implements Disposable {
  readonly #real = {
    now: performance.now,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
    timeout: AbortSignal.timeout,
  };
  readonly #ends = new Map<AbortController, number>();
  readonly #intervals = new Map<number, { callback: () => void; ms: number; due: number }>();
  #now = performance.now();
  #lastId = 0;

  constructor() {
    performance.now = () => this.#now;
    globalThis.setInterval = ((callback: () => void, ms = 0) => {
      const id = --this.#lastId; // real ones are positive
      this.#intervals.set(id, { callback, ms, due: this.#now + ms });
      return id;
    }) as unknown as typeof setInterval;
    globalThis.clearInterval = ((id: number) => {
      if (!this.#intervals.delete(id)) this.#real.clearInterval(id);
    }) as typeof clearInterval;
    AbortSignal.timeout = (ms) => {
      const end = new AbortController();
      this.#ends.set(end, this.#now + ms);
      return end.signal;
    };
  }

  /** Lets what is ready run, and lets time pass. */
  async advance(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    this.#now += ms;
    for (const [end, due] of this.#ends) {
      if (due > this.#now) continue;
      this.#ends.delete(end);
      end.abort(new DOMException("Signal timed out.", "TimeoutError"));
    }
    for (const interval of this.#intervals.values()) {
      if (interval.due > this.#now) continue;
      interval.due = this.#now + interval.ms;
      interval.callback();
    }
  }

  [Symbol.dispose](): void {
    performance.now = this.#real.now;
    globalThis.setInterval = this.#real.setInterval;
    globalThis.clearInterval = this.#real.clearInterval;
    AbortSignal.timeout = this.#real.timeout;
  }
}
