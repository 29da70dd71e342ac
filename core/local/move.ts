/** Renames a file or a folder. Readers, also after a crash, see the old name or the new one. */
import { logAudit } from "../storage/audit/log.ts";
import type { StoredEntry } from "../storage/entry.ts";
import { moveEvent } from "../storage/event_facts.ts";
import { type Place, relative } from "../storage/place.ts";
import type { Guard } from "../storage/view.ts";
import type { PartsWithCommits } from "./commit.ts";
import { discardDropped } from "./partial_upload.ts";
import type { Parts } from "./parts.ts";
import { rename } from "./rename.ts";
import { viewOf } from "./view.ts";

/** Moves an entry: see `Tree.move`. @param account the id of the account that renames */
export async function move(
  parts: PartsWithCommits,
  { from, to, account }: { from: Place; to: Place; account: number },
  guard: Guard,
): Promise<void> {
  const { accounts, audit, ledger, outbox, properties, shares, uploadsAt, vault } = parts;
  const { door = null } = guard;
  let dropped: number | undefined;
  let type: StoredEntry["type"] | undefined;
  await rename(parts, {
    from,
    to,
    check() {
      guard.check(viewOf(parts));
      type = vault.find(from)?.type;
      properties.checkRename(from, to, account);
      dropped = uploadsAt.uncredit(from);
    },
    ledger() {
      moveUploads(parts, from, to, () => ledger.rename(from, to));
      shares.lose(from);
      outbox.add(() => {
        const name = accounts.byId(account)?.name ?? null;
        return [moveEvent({ from, to, type: type ?? "other", account: name, door })];
      });
      if (guard.record) audit.add(guard.record);
    },
  });
  if (guard.record) logAudit(guard.record);
  if (dropped !== undefined) discardDropped(parts, [dropped]);
}

/** Renames a folder in the ledger, and ends the uploads into it that are under way or can't follow it. */
export function moveUploads(parts: Parts, from: Place, to: Place, rename: () => void): void {
  const { fences, uploadsAt } = parts;
  const held = uploadsAt.heldBelow(from);
  rename();
  for (const id of held) fences.end(id);
  const home = /^homes\/([^/]+)/.exec(relative(to))?.[1];
  if (home !== undefined) discardDropped(parts, uploadsAt.dropStrangers(to, home));
}
