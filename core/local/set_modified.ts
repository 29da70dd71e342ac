/**
 * Setting the time of a file or folder: on disk and in the ledger in one step, so that a file keeps its
 * digest. A crash between the two leaves a file without a digest, until `barge verify --repair` has
 * read it again.
 */
import type { Place } from "../storage/place.ts";
import type { Guard } from "../storage/view.ts";
import type { PartsWithCommits } from "./commit.ts";
import { viewOf } from "./view.ts";

/** @param modified milliseconds since 1970 @returns the time as the disk keeps it */
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
      // Another file may be there if this step is repeated later, after a failed commit.
      if (vault.find(place)?.modified === kept) ledger.setModified(place, kept);
    },
  });
  return kept;
}
