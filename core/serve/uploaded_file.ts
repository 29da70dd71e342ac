/**
 * The files that programs of the operator's are handed: their paths are made here, from the data
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
 * A committed file may be gone already, removed or moved by its owner: its path is returned all the
 * same.
 *
 * @returns an absolute path below the data directory
 * @throws {BargeError} `denied` where a link is on the way to it, or something else than a file is in
 *   its place; `not-found` where no bytes are staged
 */
export function uploadedFile(vault: Vault, facts: UploadFacts): string {
  const place = placeOf(facts);
  const found = vault.find(place);
  if (found && found.type !== "file") throw new BargeError("denied", "it is not a regular file");
  if (!found && facts.event === "check") throw new BargeError("not-found", "nothing is staged");
  return `${vault.root}/${relative(place)}`;
}

function placeOf({ event, upload, path, account }: UploadFacts): Place {
  if (event === "check") return stagedPlace(upload!);
  const { place, fixed } = locate(path, account);
  if (!place || fixed) throw new BargeError("denied", "it is not a file's path", { path });
  return place;
}
