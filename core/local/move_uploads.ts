/** Uploads into a folder that is renamed. */
import { type Place, relative } from "../storage/place.ts";
import { discardDropped } from "./partial_upload.ts";
import type { Parts } from "./parts.ts";

/** Ends uploads under way into a folder, and those that can't follow it, around its rename in the ledger. */
export function moveUploads(parts: Parts, from: Place, to: Place, rename: () => void): void {
  const { fences, uploadsAt } = parts;
  const held = uploadsAt.heldBelow(from);
  rename();
  for (const id of held) fences.end(id);
  const home = /^homes\/([^/]+)/.exec(relative(to))?.[1];
  if (home !== undefined) discardDropped(parts, uploadsAt.dropStrangers(to, home));
}
