/** Limits the transfers of an account to its rate (core/watch/rate.ts). */
import { delay } from "../net/delay.ts";
import type { Rate } from "../watch/rate.ts";

export interface Brake {
  /** The number of bytes to move at a time. */
  readonly piece: number;
  /** Waits until these bytes may be moved. @throws the reason of the transfer's signal */
  hold(bytes: number): Promise<void>;
}

/** Returns the brake of a rate; undefined for full speed. @param ended ends waits */
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
