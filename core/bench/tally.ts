/** Counts the answers and failures of a load test (attack.ts) while it is measured. */
import type { Failure } from "./connection.ts";
import { Latencies } from "./histogram.ts";

/** The measurements of one isolate. */
export interface Metrics {
  readonly latencies: Latencies;
  /** The delay of each scheduled request: from when it was due until the isolate sent it. */
  readonly lag: Latencies;
  readonly answers: number;
  /** Bytes of both directions. */
  readonly bytes: number;
  readonly failures: Readonly<Record<string, number>>;
  /** Duration of the measurement, in ms. */
  readonly elapsed: number;
  /** Answers of the connection that got the fewest. */
  readonly fewestAnswers: number;
  readonly connections: number;
}

export class Tally {
  readonly lag = new Latencies();
  readonly #latencies = new Latencies();
  readonly #answers: number[];
  readonly #failures: Record<string, number> = {};
  #bytes = 0;

  constructor(connections: number) {
    this.#answers = new Array(connections).fill(0);
  }

  addAnswer(connection: number, latencyMs: number, bytes: number): void {
    this.#latencies.add(latencyMs);
    this.#answers[connection]!++;
    this.#bytes += bytes;
  }

  /**
   * Counts a failure.
   *
   * @param waitedMs how long an abandoned request has waited. It counts among the latencies, so that
   *   they show when the server stalls.
   */
  addFailure(failure: Failure, waitedMs?: number): void {
    this.#failures[failure] = (this.#failures[failure] ?? 0) + 1;
    if (waitedMs !== undefined) this.#latencies.add(waitedMs);
  }

  /** @param elapsed ms since measuring began */
  metrics(elapsed: number): Metrics {
    return {
      latencies: this.#latencies,
      lag: this.lag,
      answers: this.#answers.reduce((sum, answers) => sum + answers, 0),
      bytes: this.#bytes,
      failures: this.#failures,
      elapsed,
      fewestAnswers: this.#answers.reduce((least, answers) => Math.min(least, answers), Infinity),
      connections: this.#answers.length,
    };
  }
}
