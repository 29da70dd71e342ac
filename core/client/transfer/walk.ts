/** Reads a local tree. */
import { BargeError } from "../../error.ts";
import { type Excluded, ignoreFileName } from "../filter/excluded.ts";
import { localFailure, onLocal } from "./local_failure.ts";
import { isPartName } from "./part_name.ts";
import type { Item } from "./plan.ts";
import { baseName, join } from "../path.ts";

export interface WalkOptions {
  /** Follow symbolic links instead of omitting them. */
  readonly follow?: boolean;
  readonly excluded: Excluded;
  /** Reads the `.bargeignore` of a folder that has one, before the folder's names are excluded. */
  readonly readIgnoreFile?: (root: string, folder: string) => Promise<void>;
  /** Omit the parts of interrupted downloads. */
  readonly omitParts?: boolean;
  /** Stops the walk if it returns an error. */
  readonly closed?: () => BargeError | undefined;
}

export interface LocalTree {
  /** The root first, a folder before its contents, names in order. */
  readonly items: Item[];
  /** Names that could not be read. */
  readonly failed: { readonly name: string; readonly error: BargeError }[];
  /** Names that were omitted because of their type, each with the reason. */
  readonly omitted: { readonly name: string; readonly message: string }[];
}

/** Entries between two turns of the event loop. */
const entriesPerTurn = 512;

/**
 * Walks a folder with synchronous calls, four times as fast as with one await per entry.
 *
 * @throws {BargeError} if the root itself can't be read; the error of `closed`
 */
export async function walk(root: string, options: WalkOptions): Promise<LocalTree> {
  const tree: LocalTree = { items: [], failed: [], omitted: [] };
  const facts = onLocal("read", root, () => Deno.statSync(root));
  tree.items.push(itemOf("", facts));
  // Folders still to be read, the next one last; no link may lead to one of `above`.
  const folders = [{ name: "", above: [identity(facts)] }];
  let entries = 0;
  for (let folder = folders.pop(); folder; folder = folders.pop()) {
    const inside: typeof folders = [];
    const names = readNames(root, folder.name, tree);
    if (options.readIgnoreFile && names.includes(ignoreFileName)) {
      await options.readIgnoreFile(root, folder.name);
    }
    for (const name of names) {
      if (++entries % entriesPerTurn === 0) {
        await new Promise((resolve) => setTimeout(resolve));
        const reason = options.closed?.();
        if (reason) throw reason;
      }
      const path = folder.name === "" ? name : `${folder.name}/${name}`;
      const entry = readEntry(root, path, options, tree);
      if (!entry) continue;
      const { item, id } = entry;
      if (item.type === "file") {
        tree.items.push(item);
      } else if (folder.above.includes(id)) {
        omit(tree, join(root, path), path, "is a link to a folder above it");
      } else {
        inside.push({ name: path, above: [...folder.above, id] });
        tree.items.push(item);
      }
    }
    folders.push(...inside.reverse());
  }
  return tree;
}

/** Returns the item of a name, or undefined if it is excluded, omitted or failed. */
function readEntry(root: string, name: string, options: WalkOptions, tree: LocalTree) {
  const path = join(root, name);
  try {
    let facts = Deno.lstatSync(path);
    if (facts.isSymlink && options.follow) facts = Deno.statSync(path);
    const type = facts.isDirectory ? "dir" : "file";
    if (options.excluded(name, type)) return undefined;
    if (facts.isSymlink) return omit(tree, path, name, "is a symbolic link; --follow follows it");
    if (options.omitParts && facts.isFile && isPartName(baseName(name))) {
      return omit(tree, path, name, "is part of an interrupted download");
    }
    if (!facts.isDirectory && !facts.isFile) {
      return omit(tree, path, name, "is neither a file nor a folder");
    }
    return { item: itemOf(name, facts), id: identity(facts) };
  } catch (cause) {
    if (options.excluded(name, "file")) return undefined;
    const error = name.includes("\uFFFD") && cause instanceof Deno.errors.NotFound
      ? new BargeError("refused", "its name is not valid UTF-8", { hint: "rename it" })
      : localFailure("read", path, cause);
    tree.failed.push({ name, error: error.with({ op: "read", path }) });
    return undefined;
  }
}

function readNames(root: string, folder: string, tree: LocalTree): string[] {
  try {
    return Array.from(Deno.readDirSync(join(root, folder)), (entry) => entry.name).sort();
  } catch (cause) {
    const error = localFailure("read", join(root, folder), cause);
    if (folder === "") throw error;
    tree.failed.push({ name: folder, error });
    return [];
  }
}

function omit(tree: LocalTree, path: string, name: string, why: string): undefined {
  tree.omitted.push({ name, message: `${path} ${why}: left out` });
}

/** Returns the item of a local file or folder. */
export function itemOf(name: string, facts: Deno.FileInfo): Item {
  const type = facts.isDirectory ? "dir" : "file";
  const modified = facts.mtime?.getTime() ?? 0;
  return { name, type, size: type === "dir" ? 0 : facts.size, modified };
}

function identity({ dev, ino }: Deno.FileInfo): string {
  return `${dev}:${ino}`;
}
