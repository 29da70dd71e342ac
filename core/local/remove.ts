/**
 * Removing a file or folder: it is first renamed into staging, in one step with the ledger, and deleted
 * there afterwards. A crash in between leaves either all of it, or nothing that any door shows.
 *
 * All uploads into a removed folder end, of every account, also those under way: in the same step they
 * lose their rows, and so give back what they had reserved; their staged bytes are deleted, and their
 * writers fail with `no-directory` at the next byte. A removed file takes its account's partial upload
 * to that path along, but not one that is being written: that makes a file of its own.
 */
import { typed } from "../error.ts";
import type { Place } from "../storage/place.ts";
import type { Guard } from "../storage/view.ts";
import type { Commits } from "./commit.ts";
import { discardDropped } from "./partial_upload.ts";
import type { Parts } from "./parts.ts";
import { discardTree, stagingDir, trashName } from "./vault/staging.ts";
import { LocalView } from "./view.ts";

/**
 * @param account the id of the account whose partial upload to the place goes with it
 * @returns the number of files that the ledger forgot
 */
export async function remove(
  parts: Parts,
  commits: Commits,
  { place, account }: { place: Place; account: number },
  guard: Guard,
): Promise<number> {
  const { intents, ledger, shares, uploadsAt, vault } = parts;
  const target = { dir: stagingDir, name: "" };
  const intent = await commits.enter(() => intents.intend("remove", place, target));
  const trash = { dir: stagingDir, name: trashName(intent) };
  let forgotten = 0;
  let happened = false;
  try {
    await commits.change({
      places: [place],
      check: () => guard.check(new LocalView(parts)),
      disk() {
        vault.rename(place, trash);
        happened = true;
      },
      ledger() {
        // Settled by `barge verify` already, if it is not open: something new may be there since.
        if (!intents.done(intent)) return;
        forgotten = ledger.forget(place);
        shares.lose(place);
        discardDropped(parts, uploadsAt.dropIdle(account, place));
        // Something new may be there where this is done late.
        if (!vault.find(place)) discardDropped(parts, uploadsAt.dropBelow(place));
      },
    });
  } catch (error) {
    // If the rename itself happened, the intent stays: for the next commit, or the next start.
    if (!happened) intents.done(intent);
    throw typed(error);
  }
  await discardTree(vault, trash.name);
  return forgotten;
}
