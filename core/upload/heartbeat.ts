/**
 * Notes in the ledger that the holder of an upload is not gone, while bytes move. A note is made at
 * most every two seconds, by a light commit, and left out while another program has the write lock:
 * no single note matters, and no upload waits for one.
 */
import type { UploadRow } from "../local/ledger/reservation.ts";
import { takenOver } from "../local/vault/fences.ts";
import type { Store } from "../local/store.ts";

/** The interval of the notes, in ms. */
export const touchEveryMs = 2000;
/** The time until a note that was left out is tried again, in ms. */
const retryMs = 200;

/** To be called with every piece. @throws {BargeError} `unavailable` when the upload is not its holder's any more */
export interface Heartbeat {
  (): void;
  /** Runs with each note, in its transaction. */
  onBeat?: () => void;
}

export function makeHeartbeat(store: Store, row: Pick<UploadRow, "id" | "holder">): Heartbeat {
  let due = performance.now() + touchEveryMs;
  const heartbeat: Heartbeat = () => {
    const now = performance.now();
    if (now < due) return;
    const noted = beat(store, row, heartbeat.onBeat);
    due = now + (noted ? touchEveryMs : retryMs);
  };
  return heartbeat;
}

/** Makes a note now. @returns whether it was made. @throws as {@link Heartbeat} */
export function beat(
  { db, reservations }: Store,
  { id, holder }: Pick<UploadRow, "id" | "holder">,
  more: () => void = () => {},
): boolean {
  if (!reservations.holds(id, holder!)) throw takenOver();
  const noted = db.attempt(() => {
    reservations.touch(id, holder!);
    more();
  }, true);
  return noted !== undefined;
}
