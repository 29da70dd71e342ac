/**
 * Selects the items of a tree that a filter takes. A filter that chooses files has no use for other
 * folders, so that only folders which lead to a taken item are selected.
 */
import { excludedWithin } from "./excluded.ts";
import { type Facts, type Filter, leavesOut } from "./filter.ts";
import type { FilterOptions } from "./options.ts";

export class Selection<T extends Facts> {
  readonly #filter: Filter;
  /** Folders that were not selected yet, by name. */
  readonly #folders = new Map<string, T>();

  constructor(filter: Filter) {
    this.#filter = filter;
  }

  /**
   * Adds an item; a folder comes before its contents.
   *
   * @returns the item if it is taken, behind the folders above it that were not returned before
   */
  add(item: T): readonly T[] {
    const { excluded, takes } = this.#filter;
    const { name, type } = item;
    if (name === "") return [item];
    if (excludedWithin(excluded, name, type)) return [];
    if (takes === undefined) return [item];
    if (!takes(item)) {
      if (type === "dir") this.#folders.set(name, item);
      return [];
    }
    const selected: T[] = [];
    for (let at = name.indexOf("/"); at !== -1; at = name.indexOf("/", at + 1)) {
      const above = name.slice(0, at);
      const folder = this.#folders.get(above);
      if (!folder) continue;
      this.#folders.delete(above);
      selected.push(folder);
    }
    return [...selected, item];
  }
}

/** Returns the selected items of a tree, in their order. The root is always selected. */
export function select<T extends Facts>(items: readonly T[], filter: Filter): T[] {
  const selection = new Selection<T>(filter);
  return items.flatMap((item) => selection.add(item));
}

/** Returns the items of a tree that are not selected. */
export function leftOut<T extends Facts>(items: readonly T[], filter: Filter): T[] {
  const selected = new Set(select(items, filter));
  return items.filter((item) => !selected.has(item));
}

/**
 * Returns whether a filter leaves out a source: a file, or a folder with all its contents. Listed names
 * are relative to the source, and leave no source out.
 */
export function leavesOutSource(filter: Filter, source: Facts, { names }: FilterOptions): boolean {
  return !names && source.name !== "" && leavesOut(filter, source);
}
