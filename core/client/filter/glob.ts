/** Compiles the patterns of `--exclude` and `--include`, a simple form of rsync's. */
import picomatch from "picomatch";
import type { Excluded } from "./excluded.ts";

/**
 * Compiles exclude patterns. A pattern without `/` matches a name at any depth; one with `/`
 * matches from the root of the tree; one that ends in `/` matches folders only. `*` and `?` stop
 * at `/`, `**` does not; `[a-z]` is one of a set; a backslash takes the next character as it is.
 *
 * The contents of an omitted folder are omitted only if the caller checks the folder first, as a
 * walk does; `excludedWithin` checks all folders above a name.
 *
 * @example
 * ```ts
 * import { exclude } from "./glob.ts";
 * const excluded = exclude(["*.o", "/build/", "docs/*.tmp"]);
 * if (!excluded("src/a.o", "file") || !excluded("build", "dir")) throw new Error();
 * if (excluded("build", "file") || excluded("src/build", "dir")) throw new Error();
 * if (!excluded("docs/x.tmp", "file") || excluded("docs/a/x.tmp", "file")) throw new Error();
 * ```
 */
export function exclude(patterns: readonly string[]): Excluded {
  const rules = patterns.filter((pattern) => pattern !== "" && pattern !== "/").map(rule);
  return (name, type) => rules.some((matches) => matches(name, type));
}

/** Compiles a pattern for one name, by the rules of {@link exclude}; an empty one matches none. */
export function nameTest(pattern: string): (name: string) => boolean {
  if (pattern === "") return () => false;
  const plain = { nobrace: true, noextglob: true, nonegate: true };
  // The flag s: a name may hold newlines, and `**` must match them as well.
  return picomatch(literal(pattern), { dot: true, flags: "s", ...plain });
}

function rule(pattern: string): Excluded {
  const foldersOnly = pattern.endsWith("/");
  const body = foldersOnly ? pattern.replace(/\/+$/, "") : pattern;
  const rooted = body.includes("/");
  const matches = nameTest(body.replace(/^\/+/, ""));
  return (name, type) => {
    if (foldersOnly && type !== "dir") return false;
    return matches(rooted ? name : name.slice(name.lastIndexOf("/") + 1));
  };
}

/** Escapes characters that are special for picomatch only: braces, groups, quantifiers. */
function literal(pattern: string): string {
  return pattern.replace(/\\.|[(){}|+@!^$.]/gs, (c) => c[0] === "\\" || c === "." ? c : `\\${c}`);
}
