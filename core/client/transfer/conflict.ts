/**
 * Finds names that are a file in a tree and a folder in its target, or the reverse. Without
 * `delete`, such a name fails. With `delete`, the target's file or folder is removed, unless it
 * holds something that `delete` must not touch. Does no I/O, and serves put and get.
 */
import { type Excluded, excludedWithin } from "./excluded.ts";
import type { Item } from "./plan.ts";

/**
 * Returns the target's items that have another type than the source's item of the same name.
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
  const conflicting = new Map<string, Item>();
  for (const { name, type } of items) {
    const other = existing.get(name);
    if (name !== "" && other && other.type !== type) conflicting.set(name, other);
  }
  return conflicting;
}

/**
 * Returns the first excluded name at or below a name of the target. Excluded names are not removed.
 *
 * @returns undefined when no name there is excluded
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

/** Returns whether a name is inside one of these folders. */
export function isBelow(name: string, folders: ReadonlySet<string>): boolean {
  if (folders.size === 0) return false;
  for (let end = name.indexOf("/"); end !== -1; end = name.indexOf("/", end + 1)) {
    if (folders.has(name.slice(0, end))) return true;
  }
  return false;
}
