/** What a transfer has to do, from what is on both sides: no I/O, the same for put and get. */
import { type Excluded, excludedWithin } from "./excluded.ts";

/** A file or folder of a tree, on either side. */
export interface Item {
  /** Relative to the root of the tree; the root itself is "". */
  readonly name: string;
  readonly type: "file" | "dir";
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly sha256?: string | null;
}

/** `compare`: the digests will tell. */
export type Action = "send" | "skip" | "compare";

/**
 * Are two modification times the same? To the millisecond, since that is what both sides keep; but
 * some file systems keep whole seconds only (or every other one), so that a time without a fraction
 * may be a rounded one, and is compared in seconds.
 *
 * @param a milliseconds since 1970
 * @param b the same
 *
 * @example
 * ```ts
 * import { sameTime } from "./plan.ts";
 * if (!sameTime(1000, 1999) || sameTime(1001, 1999) || sameTime(1000, 2000)) throw new Error();
 * ```
 */
export function sameTime(a: number, b: number): boolean {
  if (Math.trunc(a) === Math.trunc(b)) return true;
  return (a % 1000 === 0 || b % 1000 === 0) && Math.floor(a / 1000) === Math.floor(b / 1000);
}

/**
 * What to do about a file.
 *
 * @param from the file at its source
 * @param to what has its name at the target
 *
 * @example
 * ```ts
 * import { decide } from "./plan.ts";
 * const file = { name: "a", type: "file", size: 3, modified: 5000 } as const;
 * if (decide(file, file, { update: true }) !== "skip") throw new Error();
 * if (decide(file, { ...file, size: 4 }, { update: true, checksum: true }) !== "send") throw new Error();
 * ```
 */
export function decide(
  from: Item,
  to: Item | undefined,
  { update = false, checksum = false }: { readonly update?: boolean; readonly checksum?: boolean },
): Action {
  // Asking for checksums means asking for a comparison.
  if (!(update || checksum) || to?.type !== "file" || from.size !== to.size) return "send";
  if (checksum) return "compare";
  return sameTime(from.modified, to.modified) ? "skip" : "send";
}

/**
 * What the target has and the source has not: the roots of what is to be removed, deepest last, so
 * that a folder that goes as a whole is named once.
 *
 * @param there what the target has
 * @param wanted names that the source has, or that are to be kept for another reason; with a name
 *   all folders above it are kept
 * @param excluded names that neither side shows
 *
 * @example
 * ```ts
 * import { exclude } from "./glob.ts";
 * import { extraneous } from "./plan.ts";
 * const file = (name: string) => ({ name, type: "file", size: 0, modified: 0 }) as const;
 * const dir = (name: string) => ({ name, type: "dir", size: 0, modified: 0 }) as const;
 * const there = [dir("old"), file("old/a"), dir("kept"), file("kept/x.o"), file("kept/y")];
 * const gone = extraneous(there, new Set(), exclude(["*.o"]));
 * if (gone.map((item) => item.name).join() !== "old,kept/y") throw new Error();
 * ```
 */
export function extraneous(
  there: readonly Item[],
  wanted: ReadonlySet<string>,
  excluded: Excluded,
): Item[] {
  const kept = new Set<string>();
  const keep = (name: string) => {
    for (let at = name.length; at > 0; at = name.lastIndexOf("/", at - 1)) {
      const above = name.slice(0, at);
      if (kept.has(above)) break;
      kept.add(above);
    }
  };
  for (const name of wanted) keep(name);
  for (const { name, type } of there) if (excludedWithin(excluded, name, type)) keep(name);
  const gone = there.filter(({ name }) => name !== "" && !kept.has(name));
  const names = new Set(gone.map(({ name }) => name));
  return gone.filter(({ name }) => {
    const at = name.lastIndexOf("/");
    return at === -1 || !names.has(name.slice(0, at));
  });
}

/** How many files of a source are to move, and how many bytes, as far as it is known by now. */
export function toMove(
  items: readonly Item[],
  actions: ReadonlyMap<string, Action>,
): { files: number; bytes: number } {
  const moving = items.filter(({ name, type }) => type === "file" && actions.get(name) !== "skip");
  return { files: moving.length, bytes: moving.reduce((sum, { size }) => sum + size, 0) };
}
