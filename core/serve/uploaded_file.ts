/**
 * Finds the files that the operator's programs get. Their paths are built here, from the data
 * directory, the account and the user's path, and never taken from a worker.
 */
import { BargeError } from "../error.ts";
import type { UploadFacts } from "../watch/hooks.ts";
import { locate } from "../storage/path.ts";
import { type Place, relative } from "../storage/place.ts";
import { stagedPlace } from "../local/vault/staging.ts";
import type { Vault } from "../local/vault/vault.ts";

/**
 * Finds the file of an upload: the staged bytes before the commit, the file itself after it.
 *
 * The owner may have removed or moved a committed file already; its path is returned anyway.
 *
 * @returns an absolute path below the data directory
 * @throws {BargeError} `denied` when the path leads through a link, or to something other than a
 *   regular file; `not-found` when no bytes are staged
 */
export function uploadedFile(vault: Vault, facts: UploadFacts): string {
  const place = placeOf(facts);
  const entry = vault.find(place);
  if (entry && entry.type !== "file") throw new BargeError("denied", "it is not a regular file");
  if (!entry && facts.event === "check") throw new BargeError("not-found", "nothing is staged");
  return `${vault.root}/${relative(place)}`;
}

function placeOf({ event, upload, path, account }: UploadFacts): Place {
  if (event === "check") return stagedPlace(upload!);
  const { place, fixed } = locate(path, account);
  if (!place || fixed) throw new BargeError("denied", "it is not a file's path", { path });
  return place;
}
