/** Names that a transfer leaves out. How they are written is glob.ts's, which is seldom needed. */

/** Is this name, relative to the root of the tree, left out? */
export type Excluded = (name: string, type: "file" | "dir") => boolean;

/** What patterns leave out: see glob.ts. */
export async function excludedBy(patterns: readonly string[] = []): Promise<Excluded> {
  if (patterns.length === 0) return () => false;
  const { exclude } = await import("./glob.ts");
  return exclude(patterns);
}

/**
 * Is a name left out, or a folder above it?
 *
 * @example
 * ```ts
 * import { excludedBy, excludedWithin } from "./excluded.ts";
 * if (!excludedWithin(await excludedBy([".git"]), "a/.git/config", "file")) throw new Error();
 * ```
 */
export function excludedWithin(excluded: Excluded, name: string, type: "file" | "dir"): boolean {
  for (let at = name.indexOf("/"); at !== -1; at = name.indexOf("/", at + 1)) {
    if (excluded(name.slice(0, at), "dir")) return true;
  }
  return excluded(name, type);
}
