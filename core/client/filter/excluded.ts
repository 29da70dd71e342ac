/** Names that a filter leaves out. */

/** The file in a local folder whose rules leave out names below that folder. */
export const ignoreFileName = ".bargeignore";

/** Returns whether a name, relative to the root of the tree, is left out, with all names below it. */
export type Excluded = (name: string, type: "file" | "dir") => boolean;

/**
 * Returns whether a name, or a folder above it, is left out.
 */
export function excludedWithin(excluded: Excluded, name: string, type: "file" | "dir"): boolean {
  for (let at = name.indexOf("/"); at !== -1; at = name.indexOf("/", at + 1)) {
    if (excluded(name.slice(0, at), "dir")) return true;
  }
  return excluded(name, type);
}
