/** The options that repeat what has failed with exit code 5, and the waits between attempts. */
import { BargeError } from "../../core/error.ts";
import { valueOr, type ValuesOf } from "../_term/command.ts";
import { exitCodes } from "../_term/exit.ts";
import { note } from "../_term/out.ts";
import { count, seconds } from "../_term/value.ts";

const maxDelaySeconds = 600;
/** Spreads the attempts of clients that one failure has stopped together. */
const jitter = 0.2;

export const retryOptions = {
  retries: valueOr(
    count("N", 0, 1000),
    0,
    "After a failure with exit code 5, connect again, up to N times; put and get go on with the " +
      "files that are missing. Default: 0",
  ),
  retryDelay: valueOr(
    seconds(),
    5,
    "The time before the first of these attempts; it doubles for each, up to 10 minutes. Default: 5",
  ),
};

export type RetryChoice = ValuesOf<typeof retryOptions>;

/** Returns whether another attempt may succeed. */
export function isTemporary(error: BargeError): boolean {
  return exitCodes[error.kind] === exitCodes.unavailable;
}

/**
 * Returns the delay before an attempt.
 *
 * @param attempt 0 for the first repetition
 * @param random from 0 to 1
 *
 * @example
 * ```ts
 * import { delaySeconds } from "./retries.ts";
 * const delays = [0, 1, 2, 20].map((attempt) => delaySeconds(5, attempt, 0.5));
 * if (delays.join() !== "5,10,20,600") throw new Error(delays.join());
 * ```
 */
export function delaySeconds(first: number, attempt: number, random: number): number {
  return Math.min(maxDelaySeconds, first * 2 ** attempt) * (1 + jitter * (random - 0.5));
}

/** The attempts of one command. */
export class Retries {
  readonly #choice: RetryChoice;
  readonly #signal: AbortSignal;
  #made = 0;

  constructor(choice: RetryChoice, signal: AbortSignal) {
    this.#choice = choice;
    this.#signal = signal;
  }

  /** Whether another attempt may be made. */
  get areLeft(): boolean {
    return this.#made < this.#choice.retries;
  }

  /** Does work again after each temporary failure, while attempts are left. @throws as the work */
  async run<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof BargeError) || !isTemporary(error) || !this.areLeft) throw error;
        await this.wait(String(error));
      }
    }
  }

  /**
   * Reports a failure, and waits before the next attempt.
   *
   * @param what describes the failure
   * @throws the signal's reason
   */
  async wait(what: string): Promise<void> {
    const { retries, retryDelay } = this.#choice;
    const seconds = delaySeconds(retryDelay, this.#made++, Math.random());
    const shown = seconds < 10 ? seconds.toFixed(1) : String(Math.round(seconds));
    note(`barge: ${what}`);
    note(`barge: trying again in ${shown} s (attempt ${this.#made} of ${retries})`);
    const { delay } = await import("../../core/net/delay.ts");
    await delay(seconds * 1000, this.#signal);
  }
}
