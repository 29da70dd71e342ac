/** Decides which files to transfer and which to remove. */
import { parentOf } from "../path.ts";

/** A file or folder of a tree, local or remote. */
export interface Item {
  /** Relative to the root of the tree; the root itself is "". */
  readonly name: string;
  readonly type: "file" | "dir";
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly sha256?: string | null;
}

/** `compare`: send if the digests differ. */
export type Action = "send" | "skip" | "compare";

/**
 * Returns whether two modification times are equal: to the millisecond, or to the second if either
 * has no fraction, since some file systems store whole seconds only.
 *
 * @param a milliseconds since 1970
 * @param b milliseconds since 1970
 */
export function sameTime(a: number, b: number): boolean {
  if (Math.trunc(a) === Math.trunc(b)) return true;
  return (a % 1000 === 0 || b % 1000 === 0) && Math.floor(a / 1000) === Math.floor(b / 1000);
}

/**
 * Returns how to transfer a file.
 *
 * @param from the file at the source
 * @param to the target's item of the same name
 */
export function decide(
  from: Item,
  to: Item | undefined,
  { update = false, checksum = false }: { readonly update?: boolean; readonly checksum?: boolean },
): Action {
  if (!(update || checksum) || to?.type !== "file" || from.size !== to.size) return "send";
  if (checksum) return "compare";
  return sameTime(from.modified, to.modified) ? "skip" : "send";
}

/**
 * Returns the target's items to remove, which the source does not have. A folder that is removed as
 * a whole is listed once, without its contents.
 *
 * @param existing the target's items
 * @param kept as of {@link notKept}
 */
export function extraneous(existing: readonly Item[], kept: ReadonlySet<string>): Item[] {
  const removed = notKept(existing, kept);
  const names = new Set(removed.map(({ name }) => name));
  return removed.filter(({ name }) => !names.has(parentOf(name)));
}

/**
 * Returns the items of a tree that can be removed; never its root.
 *
 * @param kept names to keep; folders above a kept name are kept as well
 */
export function notKept(items: readonly Item[], kept: Iterable<string>): Item[] {
  const staying = new Set<string>();
  for (const name of kept) {
    for (let end = name.length; end > 0; end = name.lastIndexOf("/", end - 1)) {
      const above = name.slice(0, end);
      if (staying.has(above)) break;
      staying.add(above);
    }
  }
  return items.filter(({ name }) => name !== "" && !staying.has(name));
}

/** Returns the files of a source that are not skipped. */
export function filesToTransfer(
  items: readonly Item[],
  actions: ReadonlyMap<string, Action>,
): Item[] {
  return items.filter(({ name, type }) => type === "file" && actions.get(name) !== "skip");
}
