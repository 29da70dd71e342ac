/**
 * Removes a file or folder: renames it into staging, in one step with the ledger, and then deletes it there.
 * A crash in between leaves either the whole entry in its place, or nothing that any door shows.
 *
 * The removal of a folder ends all uploads into it, of every account, also those under way. The same step
 * deletes their rows, and so their reservations. Their staged bytes are deleted, and their writers fail with
 * `no-directory` at the next byte. The removal of a file also drops the account's partial upload to that path,
 * unless a connection is writing it: that upload becomes a file of its own.
 */
import { logAudit } from "../storage/audit/log.ts";
import type { StoredEntry } from "../storage/entry.ts";
import { removeEvent } from "../storage/event_facts.ts";
import type { Place } from "../storage/place.ts";
import type { Guard } from "../storage/view.ts";
import type { PartsWithCommits } from "./commit.ts";
import { discardDropped } from "./partial_upload.ts";
import { rename } from "./rename.ts";
import { discardTree } from "./vault/staging.ts";
import { viewOf } from "./view.ts";

/**
 * Removes an entry: see `Tree.remove`.
 *
 * @param account the id of the account whose partial upload to the place is dropped, too
 * @returns the number of files that the ledger forgot
 */
export async function remove(
  parts: PartsWithCommits,
  { place, account }: { place: Place; account: number },
  guard: Guard,
): Promise<number> {
  const { accounts, audit, ledger, outbox, shares, uploadsAt, vault } = parts;
  const { door = null } = guard;
  let forgotten = 0;
  let type: StoredEntry["type"] | undefined;
  const trash = await rename(parts, {
    from: place,
    check() {
      guard.check(viewOf(parts));
      type = vault.find(place)?.type;
    },
    ledger() {
      forgotten = ledger.forget(place);
      shares.lose(place);
      if (guard.record) audit.add(guard.record);
      discardDropped(parts, uploadsAt.dropIdle(account, place));
      // After a failed commit, this function runs again later: another folder may then be at the place.
      if (!vault.find(place)) discardDropped(parts, uploadsAt.dropBelow(place));
      outbox.add(() => {
        const name = accounts.byId(account)?.name ?? null;
        return [removeEvent({ place, type: type ?? "other", account: name, door })];
      });
    },
  });
  if (guard.record) logAudit(guard.record);
  await discardTree(vault, trash.name);
  return forgotten;
}
