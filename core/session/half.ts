/** Half-finished uploads: how much of one can be continued, and what becomes of it. */
import type { Held, UploadRow } from "../account/reservation.ts";
import { discard, stagedSize } from "../vault/staging.ts";
import type { Store } from "./store.ts";

/** How many staged bytes of an upload can be continued; 0: none. */
export function continuable({ vault }: Store, { id, whole }: UploadRow): number {
  return Math.min(stagedSize(vault, id) ?? 0, whole ?? Infinity);
}

/**
 * Keeps what is staged for another time, unless it is a file already. What lies behind a gap is cut
 * off by who goes on: the staged bytes may be another's by now.
 *
 * @param whole how many bytes can be continued
 * @param gaps is there more, behind a gap?
 * @param empty keep it also where nothing is staged
 */
export function letGo(
  { commits, reservations, vault }: Store,
  row: UploadRow,
  whole: number,
  { gaps = false, empty = false } = {},
): void {
  if (commits.owes(row.id)) return;
  const { id, holder } = row;
  if (!reservations.detach(id, holder!, whole, gaps, empty)) discard(vault, id);
}

/**
 * Keeps nothing, unless it is a file already. The bytes go first: where the disk is full, the ledger
 * needs their room to say so. A crash in between leaves a row without bytes, which the next start drops.
 */
export function giveUp({ commits, reservations, vault }: Store, row: Held): void {
  if (commits.owes(row.id) || reservations.upload(row.id)?.holder !== row.holder) return;
  discard(vault, row.id);
  reservations.drop(row.id, row.holder!);
}
