/**
 * Finds names that are a file in a tree and a folder in its target, or the reverse. Without
 * `delete`, such a name fails. With `delete`, the target's file or folder is removed, unless it
 * holds something that `delete` must not touch. Does no I/O, and serves put and get.
 */
import { BargeError } from "../../error.ts";
import { type Excluded, excludedWithin } from "./excluded.ts";
import type { Item } from "./plan.ts";
import { join, sameName } from "../path.ts";

/** The hint of a failure because the target has a folder or file of that name. */
export const deleteHint = "--delete removes what is in the way";

/**
 * Returns the names that have another type at the target than in the source.
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
 * Returns the first excluded name at or below a name of the target. Excluded names are not removed.
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
 * Checks that no two sources hold a file of the same name, as two folders may.
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

/** Returns whether a name is inside one of these folders. */
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
