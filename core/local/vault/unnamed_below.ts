/** Searches a folder for names that are not valid UTF-8 (unnamed.ts). */
import { type Place, relative } from "../../storage/place.ts";
import type { Vault } from "./vault.ts";

/**
 * Finds the entries in or below a folder whose names can't be read. Does not follow symbolic links.
 *
 * @returns paths relative to the folder, as they are read: to be shown, not to be opened
 * @throws {BargeError} `denied`, `io`; `not-found` for the folder itself
 */
export async function* unnamedBelow(
  vault: Vault,
  place: Place,
  prefix = "",
): AsyncGenerator<string, void, void> {
  for (const { name, type } of await vault.entries(place)) {
    if (type === "unnamed") yield prefix + name;
    if (type !== "dir") continue;
    const below = { dir: relative(place), name };
    if (vault.find(below)?.type !== "dir") continue; // gone meanwhile
    yield* unnamedBelow(vault, below, `${prefix}${name}/`);
  }
}
