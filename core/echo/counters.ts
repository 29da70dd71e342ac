export const zeroCounters = {
  /** Accepted connections; 0 for UDP. */
  accepted: 0,
  open: 0,
  /** Connections that were refused, since too many were open. */
  refused: 0,
  /** Connections that were closed as idle. */
  idle: 0,
  /** Bytes. */
  received: 0,
  sent: 0,
  /** Datagrams received, answered and dropped; 0 for TCP. */
  datagrams: 0,
  answered: 0,
  dropped: 0,
};

export type Counters = Readonly<typeof zeroCounters>;

/** Bytes of one connection. */
export interface Traffic extends Pick<Counters, "received" | "sent"> {
  readonly peer: string;
}

/** Adds up the counters of workers. */
export function sum(all: readonly Counters[]): Counters {
  const total = { ...zeroCounters };
  for (const one of all) {
    for (const name of Object.keys(zeroCounters) as (keyof Counters)[]) total[name] += one[name];
  }
  return total;
}
