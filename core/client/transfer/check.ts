/** Checks a transfer's sources and options against each other. */
import { BargeError, type ErrorFacts } from "../../error.ts";
import { baseName, join, meansContents } from "../path.ts";
import type { TransferOptions } from "./options.ts";
import type { Item } from "./plan.ts";

/**
 * Checks that no two sources take the same name in the target's folder: the second file would
 * replace the first.
 *
 * @throws {BargeError} `usage`, naming both
 */
export function checkNames(op: string, sources: readonly string[]): void {
  const sourceOf = new Map<string, string>();
  for (const source of sources) {
    const name = baseName(source);
    if (name === "" || source.endsWith("/")) continue; // its contents have names of their own
    const other = sourceOf.get(name);
    if (other !== undefined) throw sameName(op, other, source, name);
    sourceOf.set(name, source);
  }
}

/**
 * Checks the combinations of `-` and `delete` with other options, and the sources' names.
 *
 * @throws {BargeError} `usage`
 */
export function checkTogether(
  op: "put" | "get",
  sources: readonly string[],
  target: string,
  options: Pick<TransferOptions, "delete" | "recursive" | "names">,
): void {
  const refuse = (why: string, facts: ErrorFacts = {}) =>
    new BargeError("usage", why, { op, ...facts });
  if (sources.length === 0) throw refuse("no source is named");
  if (options.delete && !options.recursive) throw refuse("--delete needs -r");
  if (options.names && !options.recursive) throw refuse("--files-from needs -r");
  if (options.names && sources.length > 1) throw refuse("--files-from takes one folder");
  if (options.names && options.delete) throw refuse("--delete and --files-from exclude each other");
  if (options.delete && sources.length > 1 && sources.some(meansContents)) {
    const hint = "it would remove the contents of the others; use a command for each";
    throw refuse("--delete takes the contents of one folder alone", { hint });
  }
  checkNames(op, sources);
  if (op === "put" && sources.includes("-") && (sources.length > 1 || target.endsWith("/"))) {
    const facts = { path: target, hint: "for instance /home/backup.tar" };
    throw refuse("standard input needs one file's name as its target", facts);
  }
  if (op === "get" && target === "-" && sources.length > 1) {
    throw refuse("only one file fits into standard output");
  }
}

/**
 * Checks that no two sources hold a file of the same name, as two folders may.
 *
 * @throws {BargeError} `usage`, naming both
 */
export function checkOverlap(
  op: "put" | "get",
  sources: readonly { local: string; path: string; items: readonly Item[] }[],
): void {
  if (sources.length < 2) return;
  const items = new Map<string, { readonly source: string; readonly type: "file" | "dir" }>();
  for (const { local, path, items: own } of sources) {
    const [source, root] = op === "put" ? [local, path] : [path, local];
    for (const { name, type } of own) {
      const target = join(root, name);
      const other = items.get(target);
      if (!other) items.set(target, { source, type });
      else if (type === "file" || other.type === "file") {
        throw sameName(op, other.source, source, target);
      }
    }
  }
}

function sameName(op: string, first: string, second: string, name: string): BargeError {
  const why = `${first} and ${second} would both become ${name}`;
  return new BargeError("usage", why, { op, hint: "nothing was done; use a command for each" });
}
