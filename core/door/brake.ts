/** Slows a transfer to its account's rate (core/watch/rate.ts). */
import { wait } from "../net/wait.ts";
import type { Rate } from "../watch/rate.ts";

export interface Brake {
  /** The bytes to move at a time. */
  readonly piece: number;
  /** Waits until these bytes may be moved. @throws the reason of the transfer's signal */
  hold(bytes: number): Promise<void>;
}

/**
 * @param rate the rate of one direction; undefined for none
 * @param account undefined before a login
 * @param ended ends waits
 * @returns undefined for full speed
 */
export function brakeOf(
  rate: Rate | undefined,
  account: number | undefined,
  ended: AbortSignal,
): Brake | undefined {
  if (!rate || account === undefined) return undefined;
  const hold = async (bytes: number) => {
    const ms = rate.take(account, bytes);
    if (ms > 0) await wait(ms, ended);
  };
  return { piece: rate.piece(account), hold };
}
