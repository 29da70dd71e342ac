/** Pauses between two looks at a resource of an authority that is not ready yet. */
import { delay } from "../net/delay.ts";

const firstPauseMs = 250;
const maxPauseMs = 10_000;

export class Pause {
  readonly #signal: AbortSignal;
  #ms = firstPauseMs;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /**
   * Waits for a time that doubles up to 10 s, and for longer if the authority asks for that.
   *
   * @param askedMs the time that the authority asks for, in ms; undefined for none
   * @throws the reason of the signal
   */
  async wait(askedMs = 0): Promise<void> {
    await delay(Math.max(askedMs, this.#ms), this.#signal);
    this.#ms = Math.min(this.#ms * 2, maxPauseMs);
  }
}
