/**
 * Notes in an upload's row that its holder is not gone, while bytes move. A note is a light commit at
 * most every two seconds, left out while another program has the write lock: no single note matters,
 * and no upload waits for one.
 */
import type { HeldUpload } from "./ledger/upload_rows.ts";
import type { Parts } from "./parts.ts";
import { takenOver } from "./vault/fences.ts";

/** The interval of the notes, in ms. */
const intervalMs = 2000;
/** The time until a note that was left out is tried again, in ms. */
const retryMs = 200;

export class Heartbeat {
  readonly #parts: Pick<Parts, "db" | "reservations">;
  readonly #id: number;
  readonly #holder: string;
  #due = performance.now() + intervalMs;

  constructor(parts: Pick<Parts, "db" | "reservations">, { id, holder }: HeldUpload) {
    this.#parts = parts;
    this.#id = id;
    this.#holder = holder!;
  }

  /** Makes a note if one is due. Parameter, result and errors as those of {@link now}. */
  beat(whole?: number | null): boolean {
    const now = performance.now();
    if (now < this.#due) return false;
    const noted = this.now(whole);
    this.#due = now + (noted ? intervalMs : retryMs);
    return noted;
  }

  /**
   * Makes a note.
   *
   * @param whole staged bytes that can be resumed, to be noted, too; null: all
   * @returns whether it was made
   * @throws {BargeError} `unavailable` when the upload is not its holder's any more
   */
  now(whole?: number | null): boolean {
    const { db, reservations } = this.#parts;
    if (!reservations.holds(this.#id, this.#holder)) throw takenOver();
    const noted = db.attempt(() => {
      if (whole === undefined) reservations.touch(this.#id, this.#holder);
      else reservations.keepWhole(this.#id, this.#holder, whole);
    }, true);
    return noted !== undefined;
  }
}
