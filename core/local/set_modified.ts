/**
 * Sets the time of a file or folder on disk, then in the ledger, so that a file keeps its digest. A crash
 * after the change on disk and before the commit of the ledger leaves a file without a digest, until
 * `barge verify --repair` has read the file again.
 */
import type { Place } from "../storage/place.ts";
import type { Guard } from "../storage/view.ts";
import type { PartsWithCommits } from "./commit.ts";
import { viewOf } from "./view.ts";

/** Sets a time. @param modified milliseconds since 1970 @returns the time as the disk keeps it */
export async function setModified(
  parts: PartsWithCommits,
  place: Place,
  modified: number,
  guard: Guard,
): Promise<number> {
  const { commits, ledger, vault } = parts;
  let kept = modified;
  await commits.change({
    places: [],
    check: () => guard.check(viewOf(parts)),
    disk() {
      vault.touch(place, modified);
      kept = vault.find(place)!.modified;
    },
    ledger() {
      // After a failed commit, this function runs again later: another file may then be at the place.
      if (vault.find(place)?.modified === kept) ledger.setModified(place, kept);
    },
  });
  return kept;
}
