/** Names that a transfer omits. glob.ts, which is loaded only where needed, defines the patterns. */
import type { Excluded } from "./glob.ts";

/** Returns the filter that omits the names which match one of the patterns. */
export async function excludedBy(patterns: readonly string[] = []): Promise<Excluded> {
  if (patterns.length === 0) return () => false;
  const { exclude } = await import("./glob.ts");
  return exclude(patterns);
}

/**
 * Returns whether a name, or a folder above it, is omitted.
 */
export function excludedWithin(excluded: Excluded, name: string, type: "file" | "dir"): boolean {
  for (let at = name.indexOf("/"); at !== -1; at = name.indexOf("/", at + 1)) {
    if (excluded(name.slice(0, at), "dir")) return true;
  }
  return excluded(name, type);
}
