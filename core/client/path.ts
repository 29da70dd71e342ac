/** Where things go: names and paths on both sides, no I/O. */
import { BargeError } from "../error.ts";
import type { TransferOptions } from "./transfer/options.ts";

/**
 * The last name of a path; "" where it has none, as `/` and `.` have none.
 *
 * @example
 * ```ts
 * import { baseName } from "./path.ts";
 * if (baseName("/home/a/") !== "a" || baseName("..") !== "" || baseName("/") !== "") throw new Error();
 * ```
 */
export function baseName(path: string): string {
  const trimmed = trimSlashes(path);
  const name = trimmed.slice(trimmed.lastIndexOf("/") + 1);
  return name === "." || name === ".." ? "" : name;
}

/** A path without the slashes at its end; the root stays `/`. */
export function trimSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === "/") end--;
  return path.slice(0, end);
}

/**
 * A name inside a folder; the folder itself for the name "".
 *
 * @example
 * ```ts
 * import { join } from "./path.ts";
 * if (join("/home/", "a") !== "/home/a" || join("/home/x/", "") !== "/home/x") throw new Error();
 * ```
 */
export function join(folder: string, name: string): string {
  const base = trimSlashes(folder);
  if (name === "") return base;
  return base.endsWith("/") ? base + name : `${base}/${name}`;
}

/** The folder that a path is in. */
export function parentOf(path: string): string {
  const trimmed = trimSlashes(path);
  const at = trimmed.lastIndexOf("/");
  return at === -1 ? "." : at === 0 ? "/" : trimmed.slice(0, at);
}

/**
 * Does this source mean what is in the folder, as rsync has it, not the folder itself? So it does
 * with a slash at its end, and where the folder has no name of its own.
 *
 * @example
 * ```ts
 * import { meansContents } from "./path.ts";
 * if (!meansContents("dir/") || !meansContents(".") || meansContents("a/dir")) throw new Error();
 * ```
 */
export function meansContents(source: string): boolean {
  return source.endsWith("/") || baseName(source) === "";
}

/**
 * Checks that no two sources take the same name in the target's folder: the second file would
 * replace the first.
 *
 * @throws {BargeError} `usage`, naming both
 *
 * @example
 * ```ts
 * import { checkNames } from "./path.ts";
 * checkNames("put", ["a/x", "a/y"]);
 * let refused = false;
 * try { checkNames("put", ["a/x", "b/x"]); } catch { refused = true; }
 * if (!refused) throw new Error();
 * ```
 */
export function checkNames(op: string, sources: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const source of sources) {
    const name = baseName(source);
    if (name === "" || source.endsWith("/")) continue; // its contents have names of their own
    const other = seen.get(name);
    if (other !== undefined) throw sameName(op, other, source, name);
    seen.set(name, source);
  }
}

/** Returns the failure of two sources that would become one file. */
export function sameName(op: string, first: string, second: string, name: string): BargeError {
  return new BargeError("usage", `${first} and ${second} would both become ${name}`, {
    op,
    hint: "nothing was done; use a command for each",
  });
}

/**
 * Checks the combinations of `-` and `delete` with other options, and the sources' names.
 *
 * @throws {BargeError} `usage`
 */
export function checkTogether(
  op: string,
  sources: readonly string[],
  target: string,
  options: Pick<TransferOptions, "delete" | "recursive">,
): void {
  if (sources.length === 0) throw new BargeError("usage", "nothing was named", { op });
  if (options.delete && !options.recursive) {
    throw new BargeError("usage", "only in a tree is there anything to delete", {
      op,
      hint: "use --delete with -r",
    });
  }
  if (options.delete && sources.length > 1 && sources.some(meansContents)) {
    throw new BargeError("usage", "--delete takes the contents of one folder alone", {
      op,
      hint: "what the others brought would be removed; use a command for each",
    });
  }
  checkNames(op, sources);
  const put = op === "put";
  if (put && sources.includes("-") && (sources.length > 1 || target.endsWith("/"))) {
    throw new BargeError("usage", "standard input needs one file's name as its target", {
      op,
      path: target,
      hint: "for instance /home/backup.tar",
    });
  }
  if (!put && target === "-" && sources.length > 1) {
    throw new BargeError("usage", "only one file fits into standard output", { op });
  }
}
