/** Renaming a file or a folder: one step for every reader, and for a crash. */
import { typed } from "../error.ts";
import type { Place } from "../storage/place.ts";
import type { Guard } from "../storage/view.ts";
import type { Commits } from "./commit.ts";
import { moveUploads } from "./move_uploads.ts";
import { discardDropped } from "./partial_upload.ts";
import type { Parts } from "./parts.ts";
import { LocalView } from "./view.ts";

/** @param account the id of the account that renames */
export async function move(
  parts: Parts,
  commits: Commits,
  { from, to, account }: { from: Place; to: Place; account: number },
  guard: Guard,
): Promise<void> {
  const { intents, ledger, properties, shares, uploadsAt, vault } = parts;
  const intent = await commits.enter(() => intents.intend("move", from, to));
  let happened = false;
  let dropped: number | undefined;
  try {
    await commits.change({
      places: [from, to],
      check() {
        guard.check(new LocalView(parts));
        properties.checkRename(from, to, account);
        dropped = uploadsAt.uncredit(from);
      },
      disk() {
        vault.rename(from, to);
        happened = true;
      },
      ledger() {
        // Settled by `barge verify` already, if it is not open: a second time would forget the target.
        if (!intents.done(intent)) return;
        moveUploads(parts, from, to, () => ledger.rename(from, to));
        shares.lose(from);
      },
    });
  } catch (error) {
    // If the rename itself happened, the intent stays: for the next commit, or the next start.
    if (!happened) intents.done(intent);
    throw typed(error);
  }
  if (dropped !== undefined) discardDropped(parts, [dropped]);
}
