/**
 * Renames on disk and in the ledger in one step: for moves, and for removals, which rename into
 * staging. An intent is recorded first. If a crash comes between the rename and its commit, the next start
 * finds the rename by its intent.
 */
import { typed } from "../error.ts";
import type { Place } from "../storage/place.ts";
import type { PartsWithCommits } from "./commit.ts";
import { stagingDir, trashName } from "./vault/staging.ts";

/** A move, or, without `to`, a removal. */
export interface Rename {
  readonly from: Place;
  readonly to?: Place;
  /** Throws unless the change may be made. */
  readonly check: () => void;
  /** Writes the change to the ledger. After a failed commit, it runs later. */
  readonly ledger: () => void;
}

/**
 * Renames an entry.
 *
 * @returns the new place
 * @throws what `check` throws; {BargeError} as the disk and the database do
 */
export async function rename(
  { commits, intents, vault }: PartsWithCommits,
  { from, to, check, ledger }: Rename,
): Promise<Place> {
  const verb = to ? "move" : "remove";
  const recorded = to ?? { dir: stagingDir, name: "" };
  const intent = await commits.enter(() => intents.intend(verb, from, recorded));
  const target = to ?? { dir: stagingDir, name: trashName(intent) };
  let happened = false;
  try {
    await commits.change({
      places: to ? [from, to] : [from],
      check,
      disk() {
        vault.rename(from, target);
        happened = true;
      },
      ledger() {
        // `barge verify` may have settled the intent meanwhile, and another file may have the name.
        if (intents.done(intent)) ledger();
      },
    });
    return target;
  } catch (error) {
    // If the rename itself happened, the intent stays, until the next commit or the next start settles it.
    if (!happened) intents.done(intent);
    throw typed(error);
  }
}
