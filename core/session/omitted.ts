/**
 * What no door can show of a folder, because somebody with a login on the server's machine put it
 * there: names that are not valid UTF-8, and links, sockets, pipes and devices.
 *
 * The first may hold a person's data, which nobody at a door sees: a folder with such a name in or
 * below it is neither removed, copied nor packed, and listings say that something is left out. The
 * others hold none: they are left out, and a folder's removal takes them along.
 */
import { BargeError } from "../error.ts";
import type { Omission } from "../protocol/message.ts";
import type { Place } from "../vault/place.ts";
import { unnamedIn } from "../vault/unnamed.ts";
import type { Store } from "./store.ts";

/** Counts what a listing leaves out. */
export class Omitted {
  #unnamed = 0;
  #special = 0;
  #example: string | null = null;

  /** @param path relative to what is listed */
  add(path: string, type: "other" | "unnamed"): void {
    if (type === "other") this.#special++;
    // Of both sorts, the one that may hold data is the better example.
    if (type === "unnamed" && this.#unnamed++ === 0) this.#example = path;
    this.#example ??= path;
  }

  /** What was left out; undefined for nothing. */
  get omission(): Omission | undefined {
    if (this.#example === null) return undefined;
    return { unnamed: this.#unnamed, special: this.#special, example: this.#example };
  }
}

/**
 * Refuses to go on with a folder that has data in it, at any depth, that no door can show.
 *
 * @throws {BargeError} `refused`
 */
export async function refuseUnnamed({ vault }: Store, place: Place): Promise<void> {
  for await (const path of unnamedIn(vault, place)) {
    throw new BargeError("refused", `the name of ${path} in it is not valid UTF-8`, {
      hint: "it was put there at the server, where its operator has to rename it first",
    });
  }
}
