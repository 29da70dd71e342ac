/**
 * Finds names that are a file in the source tree and a folder in the target tree, or the reverse. Such a
 * name fails without the option `delete`. With it, the target's file or folder is removed, unless the
 * filter leaves out something in it.
 */
import { type Filter, leavesOut } from "../filter/filter.ts";
import type { Item } from "./plan.ts";

/**
 * Returns the target's items that have another type than the source's item of the same name.
 *
 * @param items the source's
 * @param existing the target's, by name
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

/** Returns the first name at or below a name of the target that the filter leaves out, if any. */
export function protectedBelow(
  item: Item,
  existing: Iterable<Item>,
  filter: Filter,
): string | undefined {
  if (leavesOut(filter, item)) return item.name;
  for (const other of existing) {
    if (other.name.startsWith(`${item.name}/`) && leavesOut(filter, other)) return other.name;
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
