/**
 * Renews the lease of an upload while bytes move: writes the time into the upload's row. Such a *note* is an
 * unsynced commit, made at most every two seconds. While another program has the write lock, the note is left
 * out, so that no upload waits for it.
 */
import type { HeldUpload } from "./ledger/upload_rows.ts";
import type { Parts } from "./parts.ts";
import { takenOver } from "./vault/fences.ts";

/** The interval of the notes, in ms. */
const intervalMs = 2000;
/** The time until a note that was left out is tried again, in ms. */
const retryMs = 200;

export class Heartbeat {
  readonly #parts: Parts;
  readonly #id: number;
  readonly #holder: string;
  #due = performance.now() + intervalMs;

  constructor(parts: Parts, { id, holder }: HeldUpload) {
    this.#parts = parts;
    this.#id = id;
    this.#holder = holder!;
  }

  /** Makes a note if one is due: see `OpenUpload.renewLease`. */
  renewLease(whole?: number | null): boolean {
    const now = performance.now();
    if (now < this.#due) return false;
    const noted = this.renewLeaseNow(whole);
    this.#due = now + (noted ? intervalMs : retryMs);
    return noted;
  }

  /** Makes a note: see `OpenUpload.renewLeaseNow`. */
  renewLeaseNow(whole?: number | null): boolean {
    const { db, reservations } = this.#parts;
    if (!reservations.holds(this.#id, this.#holder)) throw takenOver();
    const noted = db.attempt(() => {
      if (whole === undefined) reservations.touch(this.#id, this.#holder);
      else reservations.keepWhole(this.#id, this.#holder, whole);
    }, true);
    return noted !== undefined;
  }
}
