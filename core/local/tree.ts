// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
import type { ForeignEntry } from "../storage/entry.ts";
import { type Place, relative } from "../storage/place.ts";
import type { Tree } from "../storage/tree.ts";
import type { PartsWithCommits } from "./commit.ts";
import { openDownload, readAgain, readSmall } from "./download.ts";
import { look, lookAll } from "./entry.ts";
import { mkdir } from "./mkdir.ts";
import { move } from "./move.ts";
import { resumableBytes } from "./partial_upload.ts";
import type { Parts } from "./parts.ts";
import { remove } from "./remove.ts";
import { setModified } from "./set_modified.ts";
import { digestFile } from "./vault/digest.ts";
import type { Vault } from "./vault/vault.ts";
import { viewOf } from "./view.ts";

/** The number of entries that are looked up at once. */
const pageEntries = 256;

/** Returns the tree on one machine. Its changes are in files beside this one. */
export function localTree(parts: PartsWithCommits): Tree {
  const { reservations, vault } = parts;
  return {
    check: async (guard) => guard.check(viewOf(parts, look)),
    entry: async (place) => look(parts, place),
    async look(place, account) {
      const row = reservations.unfinished(account, place);
      const partial = row && { offset: resumableBytes(parts, row), size: row.size };
      return { entry: look(parts, place), partial };
    },
    named: async (dir, names) => lookAll(parts, dir, names),
    /** Holds the names of the folder, to sort them, and one page of entries. */
    async *pages(place, onHidden) {
      const names = await vault.names(place, undefined, onHidden);
      for (let at = 0; at < names.length; at += pageEntries) {
        const page = lookAll(parts, relative(place), names.slice(at, at + pageEntries));
        if (page.length > 0) yield page;
      }
    },
    created: async (place) => vault.created(place),
    foreign: (place, account) => foreignEntry(parts, place, account),
    unnamed: (place) => unnamedEntry(vault, place),
    open: (place, offset) => openDownload(parts, place, offset),
    comparesParts: false,
    readSmall: (places, maxBytes) => readSmall(parts, places, maxBytes),
    readAgain: async (files) => readAgain(parts, files),
    digest: (place, algorithm, signal) => digestFile(vault, place, algorithm, Infinity, signal),
    mkdir: (place, folder, guard) => mkdir(parts, place, folder, guard),
    move: (from, to, account, guard) => move(parts, { from, to, account }, guard),
    remove: (place, account, guard) => remove(parts, { place, account }, guard),
    setModified: (place, modified, guard) => setModified(parts, place, modified, guard),
  };
}

/** Finds the first entry in or below a folder that is neither a folder nor charged to the account. */
async function foreignEntry(
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
      const entry = look(parts, { dir, name });
      if (entry?.owner !== account) return { name, ownerName: entry?.ownerName ?? null };
    }
  }
}

/** Finds the first entry in or below a folder whose name is not valid UTF-8. @returns its path in the folder */
async function unnamedEntry(vault: Vault, place: Place): Promise<string | undefined> {
  for (const { name, type } of await vault.entries(place)) {
    if (type === "unnamed") return name;
    const folder = { dir: relative(place), name };
    if (type !== "dir" || vault.find(folder)?.type !== "dir") continue; // it may be gone meanwhile
    const below = await unnamedEntry(vault, folder);
    if (below !== undefined) return `${name}/${below}`;
  }
}
