/** Keeps a download from writing through a link below its folder. */
import { BargeError } from "../../error.ts";
import { type Filter, leavesOut } from "../filter/filter.ts";
import { protectedBelow } from "../transfer/conflict.ts";
import { deleteHint } from "../transfer/failure.ts";
import { onLocal } from "../transfer/local_failure.ts";
import type { TransferOptions } from "../transfer/options.ts";
import { itemOf, walk } from "../transfer/walk.ts";
import { lstat } from "./local_target.ts";

export interface WayOptions extends Pick<TransferOptions, "delete" | "dryRun"> {
  readonly filter: Filter;
  /** Stops the walk through a folder that is to be removed. */
  readonly closed: () => BargeError | undefined;
}

/**
 * Frees a local name for a file or folder of a tree. With `delete`, removes an item of another type.
 *
 * @param root the local folder of the tree
 * @param name below the root
 * @param type the type that the name is to have
 * @returns whether something was removed, or would be in a dry run
 * @throws {BargeError} `exists` where the existing file or folder stays; the failure of its removal
 */
export async function clearWay(
  root: string,
  name: string,
  type: "file" | "dir",
  options: WayOptions,
): Promise<boolean> {
  const path = `${root}/${name}`;
  const facts = lstat(path);
  if (!facts || (type === "dir" ? facts.isDirectory : facts.isFile)) return false;
  const stays = (why: string, hint?: string) =>
    new BargeError("exists", `it is ${describe(facts)} here${why}`, { path, hint });
  if (!facts.isFile && !facts.isDirectory && !facts.isSymlink) {
    throw stays("", "remove it, or name it as the target to write to it");
  }
  if (!options.delete) throw stays("", deleteHint);
  const item = itemOf(name, facts);
  if (leavesOut(options.filter, item)) throw stays(", and a filter protects it");
  if (facts.isDirectory) {
    const inside = await walk(path, { excluded: () => false, closed: options.closed });
    const special = inside.omitted[0]?.name ?? inside.failed[0]?.name;
    if (special !== undefined) {
      throw stays(`, with ${special} in it, which a download never removes`);
    }
    const below = inside.items.map((item) => ({ ...item, name: `${name}/${item.name}` }));
    const kept = protectedBelow(item, below, options.filter);
    if (kept !== undefined) throw stays(`, and a filter protects ${root}/${kept}`);
  }
  if (!options.dryRun) {
    onLocal("remove", path, () => Deno.removeSync(path, { recursive: facts.isDirectory }));
  }
  return true;
}

function describe({ isFile, isDirectory, isSymlink }: Deno.FileInfo): string {
  if (isSymlink) return "a symbolic link";
  return isFile ? "a file" : isDirectory ? "a folder" : "neither a file nor a folder";
}
