/**
 * Finds where a tree and its target disagree about what a name is: a file at one side, a folder at
 * the other. Without `delete` such a name fails; with it the target's file or folder makes way,
 * unless it holds something that `delete` must not touch. No I/O, the same for put and get.
 */
import { BargeError } from "../error.ts";
import { type Excluded, excludedWithin } from "./excluded.ts";
import type { Item } from "./plan.ts";
import { join, sameName } from "./target.ts";

/** What to try where a folder or file of that name is in the way. */
export const deleteHint = "--delete removes what is in the way";

/**
 * The names that the target holds as another type than the source.
 *
 * @param items the source's
 * @param existing the target's, by name
 *
 * @example
 * ```ts
 * import { conflicts } from "./conflict.ts";
 * const file = { name: "a", type: "file", size: 0, modified: 0 } as const;
 * const existing = new Map([["a", { ...file, type: "dir" } as const]]);
 * if (conflicts([file], existing).get("a")?.type !== "dir") throw new Error();
 * ```
 */
export function conflicts(
  items: readonly Item[],
  existing: ReadonlyMap<string, Item>,
): Map<string, Item> {
  const found = new Map<string, Item>();
  for (const { name, type } of items) {
    const other = existing.get(name);
    if (name !== "" && other && other.type !== type) found.set(name, other);
  }
  return found;
}

/**
 * The first excluded name at or below a name of the target: exclusion protects from removal.
 *
 * @returns undefined when nothing there is excluded
 */
export function protectedBelow(
  { name, type }: Item,
  existing: Iterable<Item>,
  excluded: Excluded,
): string | undefined {
  if (excludedWithin(excluded, name, type)) return name;
  for (const item of existing) {
    const below = item.name.startsWith(`${name}/`);
    if (below && excludedWithin(excluded, item.name, item.type)) return item.name;
  }
  return undefined;
}

/** A source's tree, and where it goes. */
export interface Planned {
  readonly source: string;
  /** The path or file name at the target. */
  readonly root: string;
  readonly items: readonly Item[];
}

/**
 * Checks that no two sources bring a file of one name, as the contents of two folders may.
 *
 * @throws {BargeError} `usage`, naming both
 */
export function checkOverlap(op: string, sources: readonly Planned[]): void {
  if (sources.length < 2) return;
  const seen = new Map<string, { readonly source: string; readonly type: "file" | "dir" }>();
  for (const { source, root, items } of sources) {
    for (const { name, type } of items) {
      const path = join(root, name);
      const other = seen.get(path);
      if (!other) seen.set(path, { source, type });
      else if (type === "file" || other.type === "file") {
        throw sameName(op, other.source, source, path);
      }
    }
  }
}

/** Is a name inside one of these folders? */
export function isBelow(name: string, folders: ReadonlySet<string>): boolean {
  if (folders.size === 0) return false;
  for (let at = name.indexOf("/"); at !== -1; at = name.indexOf("/", at + 1)) {
    if (folders.has(name.slice(0, at))) return true;
  }
  return false;
}

/** The failure of a file whose folder could not be made. */
export function noFolderFor(path: string): BargeError {
  return new BargeError("exists", "its folder could not be made: something else has that name", {
    path,
  });
}
