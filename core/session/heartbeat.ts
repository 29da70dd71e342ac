/**
 * What an upload says of itself while it moves: that its holder is not gone. It is noted at most every
 * two seconds, by a light commit, and left out while another program has the write lock: nothing
 * depends on any one of these notes, and no upload waits for them.
 */
import type { UploadRow } from "../account/reservation.ts";
import { takenOver } from "../vault/fences.ts";
import type { Store } from "./store.ts";

/** How often it is noted that an upload moves, in ms. */
export const touchEveryMs = 2000;
/** How soon a note that had to be left out is tried again, in ms. */
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

/** Notes now that an upload moves. @returns was it noted? @throws as {@link Heartbeat} */
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
