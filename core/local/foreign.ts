/** Entries of a folder that are not charged to an account. */
import { type Place, relative } from "../storage/place.ts";
import type { ForeignEntry } from "../storage/tree.ts";
import { look } from "./look.ts";
import type { Parts } from "./parts.ts";

/** Walks a folder on disk, and returns the first entry that is not a folder or charged to the account. */
export async function foreignEntry(
  parts: Parts,
  place: Place,
  account: number,
): Promise<ForeignEntry | undefined> {
  const dir = relative(place);
  // Links and the like, too: only the operator can have put them there.
  for (const { name, type } of await parts.vault.entries(place)) {
    if (type === "unnamed") return { name, ownerName: null };
    if (type === "dir") {
      const below = await foreignEntry(parts, { dir, name }, account);
      if (below) return below;
    } else if (parts.ledger.file({ dir, name })?.owner !== account) {
      const { row } = look(parts, { dir, name });
      if (row?.owner !== account) return { name, ownerName: row?.ownerName ?? null };
    }
  }
}
