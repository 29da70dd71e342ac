/** Holds a transfer to its account's rate (session/rate.ts), a piece at a time. */
import { delay } from "../net/delay.ts";
import type { Rate } from "../watch/rate.ts";

export interface Brake {
  /** How many bytes to move at a time. */
  readonly piece: number;
  /** Waits until so many may go. @throws why the transfer's signal was aborted */
  hold(bytes: number): Promise<void>;
}

/**
 * @param rate the server's, for one direction; undefined where there is none
 * @param account undefined: nobody is logged in
 * @param ended aborted when nobody waits any more
 * @returns undefined: full speed
 */
export function brakeOf(
  rate: Rate | undefined,
  account: number | undefined,
  ended: AbortSignal,
): Brake | undefined {
  if (!rate || account === undefined) return undefined;
  const hold = async (bytes: number) => {
    const ms = rate.take(account, bytes);
    if (ms > 0) await delay(ms, ended);
  };
  return { piece: rate.piece(account), hold };
}
