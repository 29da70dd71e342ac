/**
 * Finds the files that the operator's programs get. Their paths are built here, from the data
 * directory, the account and the user's path, and never taken from a worker.
 */
import { BargeError } from "../../error.ts";
import type { UploadFacts } from "../../watch/hooks.ts";
import { locate } from "../../storage/path.ts";
import { type Place, relative } from "../../storage/place.ts";
import { stagedPlace } from "../../local/vault/staging.ts";
import type { Vault } from "../../local/vault/vault.ts";

/**
 * Finds the staged bytes of an upload that is checked.
 *
 * @returns an absolute path below the data directory
 * @throws {BargeError} `denied` for something other than a regular file; `not-found` when no bytes are staged
 */
export function uploadedFile(vault: Vault, { upload }: Pick<UploadFacts, "upload">): string {
  const file = fileAt(vault, stagedPlace(upload));
  if (file === undefined) throw new BargeError("not-found", "nothing is staged");
  return file;
}

/**
 * Returns the path of a committed file. Its owner may have removed, moved or replaced it meanwhile; nothing is at
 * the returned path where a folder has its name.
 *
 * @returns an absolute path below the data directory
 * @throws {BargeError} `denied` when the path leads through a link, or to something other than a file or folder
 */
export function committedFile(
  vault: Vault,
  { path, account }: Pick<UploadFacts, "path" | "account">,
): string {
  const { place, fixed } = locate(path, account);
  if (!place || fixed) throw new BargeError("denied", "it is not a file's path", { path });
  // Workers can make nothing in the data directory itself.
  if (vault.find(place)?.type === "dir") return `${vault.root}/.gone`;
  return fileAt(vault, place) ?? `${vault.root}/${relative(place)}`;
}

/** Returns the absolute path of a regular file; undefined for none. @throws {BargeError} `denied` */
function fileAt(vault: Vault, place: Place): string | undefined {
  const entry = vault.find(place);
  if (!entry) return undefined;
  if (entry.type !== "file") throw new BargeError("denied", "it is not a regular file");
  return `${vault.root}/${relative(place)}`;
}
