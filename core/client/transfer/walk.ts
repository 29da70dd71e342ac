/** Reads a local tree: what is there, what can't be sent, and why. */
import { BargeError, typed } from "../../error.ts";
import type { Excluded } from "./excluded.ts";
import { isPartName } from "./part_name.ts";
import type { Item } from "./plan.ts";
import { baseName, join } from "../path.ts";

export interface WalkOptions {
  /** Take what symbolic links lead to, instead of leaving them out. */
  readonly follow?: boolean;
  readonly excluded: Excluded;
  /** Leave out parts of interrupted downloads. */
  readonly leaveParts?: boolean;
  /** Stops the walk. */
  readonly closed?: () => BargeError | undefined;
}

export interface LocalTree {
  /** The root first, a folder before what it holds, names in order. */
  readonly items: Item[];
  /** What could not be read, by name. */
  readonly failed: { readonly name: string; readonly error: BargeError }[];
  /** What was left out because of what it is, by name, and the words for it. */
  readonly left: { readonly name: string; readonly message: string }[];
}

/** A long walk lets others run after so many entries. */
const breath = 512;

/**
 * Walks a folder, synchronously for the most part: four times as fast as one await an entry.
 *
 * @param root the folder
 * @throws {BargeError} when the root itself can't be read; why `closed` says to stop
 */
export async function walk(root: string, options: WalkOptions): Promise<LocalTree> {
  const tree: LocalTree = { items: [], failed: [], left: [] };
  const facts = Deno.statSync(root);
  tree.items.push(item("", facts));
  // Folders still to be read, the next one last; `above` are those that a link must not lead to.
  const folders = [{ name: "", above: [identity(facts)] }];
  let seen = 0;
  for (let folder = folders.pop(); folder; folder = folders.pop()) {
    const inside: typeof folders = [];
    for (const name of readNames(root, folder.name, tree)) {
      if (++seen % breath === 0) {
        await new Promise((resolve) => setTimeout(resolve));
        const reason = options.closed?.();
        if (reason) throw reason;
      }
      const found = look(root, folder.name === "" ? name : `${folder.name}/${name}`, options, tree);
      if (!found) continue;
      if (found.item.type === "file") {
        tree.items.push(found.item);
      } else if (folder.above.includes(found.id)) {
        left(tree, root, found.item.name, "is a link to a folder above it");
      } else {
        inside.push({ name: found.item.name, above: [...folder.above, found.id] });
        tree.items.push(found.item);
      }
    }
    folders.push(...inside.reverse());
  }
  return tree;
}

/** What a name stands for, or undefined when it is left out; then the tree says why. */
function look(root: string, name: string, options: WalkOptions, tree: LocalTree) {
  const path = join(root, name);
  try {
    let facts = Deno.lstatSync(path);
    const link = facts.isSymlink;
    if (link && options.follow) facts = Deno.statSync(path);
    const type = facts.isDirectory ? "dir" : "file";
    if (options.excluded(name, type)) return undefined;
    if (facts.isSymlink) {
      left(tree, root, name, "is a symbolic link; --follow takes what it leads to");
      return undefined;
    }
    if (options.leaveParts && facts.isFile && isPartName(baseName(name))) {
      left(tree, root, name, "is part of an interrupted download");
      return undefined;
    }
    if (!facts.isDirectory && !facts.isFile) {
      left(tree, root, name, "is neither a file nor a folder");
      return undefined;
    }
    return { item: item(name, facts), id: identity(facts) };
  } catch (cause) {
    if (options.excluded(name, "file")) return undefined;
    const error = name.includes("\uFFFD") && cause instanceof Deno.errors.NotFound
      ? new BargeError("refused", "its name is not valid UTF-8", { hint: "rename it" })
      : typed(cause);
    tree.failed.push({ name, error: error.with({ op: "read", path }) });
    return undefined;
  }
}

function readNames(root: string, folder: string, tree: LocalTree): string[] {
  try {
    return Array.from(Deno.readDirSync(join(root, folder)), (entry) => entry.name).sort();
  } catch (cause) {
    const error = typed(cause, { op: "read", path: join(root, folder) });
    if (folder === "") throw error;
    tree.failed.push({ name: folder, error });
    return [];
  }
}

function left(tree: LocalTree, root: string, name: string, why: string): void {
  tree.left.push({ name, message: `${join(root, name)} ${why}: left out` });
}

function item(name: string, facts: Deno.FileInfo): Item {
  const type = facts.isDirectory ? "dir" : "file";
  const modified = facts.mtime?.getTime() ?? 0;
  return { name, type, size: type === "dir" ? 0 : facts.size, modified };
}

function identity({ dev, ino }: Deno.FileInfo): string {
  return `${dev}:${ino}`;
}
