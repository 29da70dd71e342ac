/**
 * Removing a file or folder: it is renamed into staging, in one step with the ledger, and deleted
 * there afterwards. A crash in between leaves either all of it, or nothing that any door shows.
 *
 * All uploads into a removed folder end, of every account, also those under way: in the same step
 * their rows go, with what they reserved; their staged bytes are deleted, and their writers fail with
 * `no-directory` at the next byte. A removed file takes its account's partial upload to that path
 * along, but not one that is being written: that becomes a file of its own.
 */
import type { Place } from "../storage/place.ts";
import type { Guard } from "../storage/view.ts";
import type { PartsWithCommits } from "./commit.ts";
import { discardDropped } from "./partial_upload.ts";
import { rename } from "./rename.ts";
import { discardTree } from "./vault/staging.ts";
import { viewOf } from "./view.ts";

/**
 * @param account the id of the account whose partial upload to the place goes with it
 * @returns the number of files that the ledger forgot
 */
export async function remove(
  parts: PartsWithCommits,
  { place, account }: { place: Place; account: number },
  guard: Guard,
): Promise<number> {
  const { ledger, shares, uploadsAt, vault } = parts;
  let forgotten = 0;
  const trash = await rename(parts, {
    from: place,
    check: () => guard.check(viewOf(parts)),
    ledger() {
      forgotten = ledger.forget(place);
      shares.lose(place);
      discardDropped(parts, uploadsAt.dropIdle(account, place));
      // Another folder may be there if this runs after a failed commit.
      if (!vault.find(place)) discardDropped(parts, uploadsAt.dropBelow(place));
    },
  });
  await discardTree(vault, trash.name);
  return forgotten;
}
