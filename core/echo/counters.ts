/** The counters of an echo server. */

/** Bytes of one connection. */
export interface Traffic {
  readonly received: number;
  readonly sent: number;
}

/** The counters of all workers of a server. */
export interface Counters extends Traffic {
  /** Accepted connections; 0 for UDP. */
  readonly accepted: number;
  /** Open connections. */
  readonly open: number;
  /** Connections that were refused, since too many were open. */
  readonly refused: number;
  /** Connections that were closed as idle. */
  readonly idle: number;
  /** Datagrams received, answered and dropped; 0 for TCP. */
  readonly datagrams: number;
  readonly answered: number;
  readonly dropped: number;
}

export const zeroCounters: Counters = {
  accepted: 0,
  open: 0,
  refused: 0,
  idle: 0,
  received: 0,
  sent: 0,
  datagrams: 0,
  answered: 0,
  dropped: 0,
};

/**
 * Adds up the counters of workers.
 *
 * @example
 * ```ts
 * import { zeroCounters, sum } from "./counters.ts";
 * const two = sum([{ ...zeroCounters, open: 1 }, { ...zeroCounters, open: 2, sent: 5 }]);
 * if (two.open !== 3 || two.sent !== 5) throw new Error();
 * ```
 */
export function sum(all: readonly Counters[]): Counters {
  const total: { -readonly [K in keyof Counters]: number } = { ...zeroCounters };
  for (const one of all) {
    for (const name of Object.keys(zeroCounters) as (keyof Counters)[]) total[name] += one[name];
  }
  return total;
}
