/**
 * Counts the entries of a folder that no door can show: names that are not valid UTF-8, and links,
 * sockets, pipes and devices. Only a user of the server's machine can make them.
 *
 * An entry whose name is not valid UTF-8 may hold data: a folder with such an entry in or below it is neither
 * removed, copied nor packed, and listings report the omission. Links, sockets, pipes and devices are left
 * out, and removed with their folder.
 */
import { BargeError } from "../error.ts";
import type { Omission } from "../protocol/message.ts";
import type { Place } from "../storage/place.ts";
import type { Tree } from "../storage/tree.ts";

/** Counts what a listing leaves out. */
export class Omitted {
  #unnamed = 0;
  #special = 0;
  #example: string | null = null;

  /** Counts an entry. @param path relative to the listed folder */
  add(path: string, type: "other" | "unnamed"): void {
    if (type === "other") this.#special++;
    // The example is preferably a name that may hold data.
    if (type === "unnamed" && this.#unnamed++ === 0) this.#example = path;
    this.#example ??= path;
  }

  /** The entries that were left out; undefined for none. */
  get omission(): Omission | undefined {
    if (this.#example === null) return undefined;
    return { unnamed: this.#unnamed, special: this.#special, example: this.#example };
  }
}

/**
 * Refuses a folder that has data in it, at any depth, that no door can show.
 *
 * @throws {BargeError} `refused`
 */
export async function refuseUnnamed(tree: Tree, place: Place): Promise<void> {
  const path = await tree.unnamed(place);
  if (path === undefined) return;
  throw new BargeError("refused", `the name of ${path} in it is not valid UTF-8`, {
    hint: "it was put there at the server, where its operator has to rename it first",
  });
}
