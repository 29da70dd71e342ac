/**
 * Setting the time of a file or folder: on disk and in the ledger in one step, so that a file keeps its
 * digest. A crash between the two leaves a file whose time the ledger does not know: it is served as it
 * is, without a digest, until `barge verify --repair` has read it again.
 */
import type { Place } from "../storage/place.ts";
import type { Guard } from "../storage/view.ts";
import type { Commits } from "./commit.ts";
import type { Parts } from "./parts.ts";
import { LocalView } from "./view.ts";

/** @param modified milliseconds since 1970 @returns the time as the disk keeps it */
export async function setModified(
  parts: Parts,
  commits: Commits,
  { place, modified }: { place: Place; modified: number },
  guard: Guard,
): Promise<number> {
  const { ledger, vault } = parts;
  let kept = modified;
  await commits.change({
    places: [],
    check: () => guard.check(new LocalView(parts)),
    disk() {
      vault.touch(place, modified);
      kept = vault.find(place)!.modified;
    },
    ledger() {
      // If it was owed for a while (the disk was full), another file may be there by now.
      if (vault.find(place)?.modified === kept) ledger.setModified(place, kept);
    },
  });
  return kept;
}
