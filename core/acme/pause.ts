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
   * Waits until the authority wants to be asked again, or where it does not say, for a time that doubles up to 10 s.
   *
   * @param time in ms since 1970
   * @throws the reason of the signal
   */
  async until(time: number | undefined): Promise<void> {
    const asked = time === undefined ? 0 : time - Date.now();
    await delay(Math.max(asked, this.#ms), this.#signal);
    this.#signal.throwIfAborted();
    this.#ms = Math.min(this.#ms * 2, maxPauseMs);
  }
}
