/**
 * Decides which names of a tree are transferred, listed or removed.
 *
 * A name that a filter leaves out is left out on both sides: it is neither transferred nor removed.
 * The patterns and rules are compiled by modules that are loaded only where they are needed.
 */
import { type Excluded, excludedWithin } from "./excluded.ts";
import type { FilterOptions } from "./options.ts";

/** The facts of a file or folder that a filter reads. */
export interface Facts {
  /** Relative to the root of the tree; the root itself is "". */
  readonly name: string;
  readonly type: "file" | "dir";
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

export interface Filter {
  /** Whether a name is left out, with all names below it. */
  readonly excluded: Excluded;
  /**
   * Whether a file is taken, or a folder with all of its contents. Undefined: the filter takes all
   * files and folders that are not excluded.
   */
  readonly takes: ((facts: Facts) => boolean) | undefined;
  /**
   * Reads the `.bargeignore` that a folder of a local tree has. Undefined: such files are not read.
   *
   * @throws {BargeError} the failure to read it, or `usage` for its rules
   */
  readonly readIgnoreFile: ((root: string, folder: string) => Promise<void>) | undefined;
}

/** The filter that takes every name. */
export const everything: Filter = {
  excluded: () => false,
  takes: undefined,
  readIgnoreFile: undefined,
};

/**
 * Returns the filter of options, for one tree.
 *
 * @throws {BargeError} `usage` for rules that can't be read
 */
export async function filterOf(options: FilterOptions): Promise<Filter> {
  const { exclude = [], include = [], rules = [], names, ignoreFiles = true } = options;
  const tests: Excluded[] = [];
  const globs = exclude.length + include.length > 0 ? await import("./glob.ts") : undefined;
  if (globs && exclude.length > 0) tests.push(globs.exclude(exclude));
  if (rules.length > 0) {
    const { IgnoreRules } = await import("./ignore_rules.ts");
    const given = new IgnoreRules();
    given.add("", rules.join("\n"));
    tests.push((name, type) => given.ignores(name, type));
  }
  const listed = names && new (await import("./listed_names.ts")).ListedNames(names);
  if (listed) tests.push((name, type) => !listed.leadsTo(name, type));
  const included = globs && include.length > 0 ? globs.exclude(include) : undefined;
  const excluded: Excluded = (name, type) => tests.some((test) => test(name, type));
  let files: { read(root: string, folder: string): void } | undefined;
  const readIgnoreFile = async (root: string, folder: string) => {
    if (!files) {
      const { IgnoreFiles } = await import("./ignore_files.ts");
      const inTree = files = new IgnoreFiles();
      tests.push((name, type) => inTree.rules.ignores(name, type));
    }
    files.read(root, folder);
  };
  return {
    excluded,
    takes: takesBy(options, included, listed),
    readIgnoreFile: ignoreFiles ? readIgnoreFile : undefined,
  };
}

/** Returns whether a filter leaves out a file or folder, or a folder above it. */
export function leavesOut({ excluded, takes }: Filter, facts: Facts): boolean {
  if (excludedWithin(excluded, facts.name, facts.type)) return true;
  return facts.type === "file" && takes !== undefined && !takes(facts);
}

function takesBy(
  { minSize = 0, maxSize = Infinity, newer = -Infinity, older = Infinity }: FilterOptions,
  included: Excluded | undefined,
  listed: { covers(name: string): boolean } | undefined,
): Filter["takes"] {
  const measures = minSize > 0 || maxSize < Infinity || newer > -Infinity || older < Infinity;
  if (!measures && !included && !listed) return undefined;
  return ({ name, type, size, modified }) => {
    if (listed && !listed.covers(name)) return false;
    if (type === "dir") return !measures && !included;
    if (included && !excludedWithin(included, name, type)) return false;
    return size >= minSize && size <= maxSize && modified > newer && modified < older;
  };
}
