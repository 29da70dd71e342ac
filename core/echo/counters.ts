/** What an echo server counts. */

/** Of one connection. */
export interface Traffic {
  /** Bytes that came, and that went back. */
  readonly received: number;
  readonly sent: number;
}

/** Of a server, all its workers together. */
export interface Counters extends Traffic {
  /** Connections that were let in; of UDP: none. */
  readonly accepted: number;
  /** Those that are open. */
  readonly open: number;
  /** Those that were turned away, as too many were open. */
  readonly refused: number;
  /** Those that were cut, as nothing moved on them for too long. */
  readonly idle: number;
  /** Datagrams that came, were answered, and were dropped; of TCP: none. */
  readonly datagrams: number;
  readonly answered: number;
  readonly dropped: number;
}

export const nothing: Counters = {
  ...{ accepted: 0, open: 0, refused: 0, idle: 0, received: 0, sent: 0 },
  ...{ datagrams: 0, answered: 0, dropped: 0 },
};

/**
 * The sum of what workers counted.
 *
 * @example
 * ```ts
 * import { nothing, sum } from "./counters.ts";
 * const two = sum([{ ...nothing, open: 1 }, { ...nothing, open: 2, sent: 5 }]);
 * if (two.open !== 3 || two.sent !== 5) throw new Error();
 * ```
 */
export function sum(all: readonly Counters[]): Counters {
  const total: { -readonly [K in keyof Counters]: number } = { ...nothing };
  for (const one of all) {
    for (const name of Object.keys(nothing) as (keyof Counters)[]) total[name] += one[name];
  }
  return total;
}
