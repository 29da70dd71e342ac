/** The targets of `mv` and `cp`. */
import type { Client } from "../../core/client/client.ts";
import { entryAt } from "../../core/client/stat.ts";
import { existsAlready } from "../../core/client/transfer/failure.ts";
import { baseName, join, parentOf, trimSlashes } from "../../core/client/path.ts";
import { checkNames } from "../../core/client/transfer/check.ts";
import { BargeError } from "../../core/error.ts";

/**
 * Returns the new path of each source: in the target if that is a folder or ends in a slash, else
 * the target itself.
 *
 * @throws {BargeError} `no-directory` when the target of several sources is not a folder; `usage`
 *   when two sources have the same name
 */
export async function targets(
  client: Client,
  op: string,
  sources: readonly string[],
  target: string,
): Promise<(source: string) => string> {
  const isFolder = (await entryAt(client, trimSlashes(target)))?.type === "dir";
  if (!isFolder && (sources.length > 1 || target.endsWith("/"))) {
    throw new BargeError("no-directory", "there is no such folder", {
      op,
      path: target,
      hint: `\`barge mkdir -p ${trimSlashes(target)}\` makes it`,
    });
  }
  if (isFolder) checkNames(op, sources.map(trimSlashes));
  return (source) => isFolder ? join(target, baseName(source)) : target;
}

/**
 * Checks for a dry run that a file or folder can take a name.
 *
 * @param folderExists whether the folder of the name is known to exist, or will be made
 * @throws {BargeError} `exists` if the name is a folder's, or if `noClobber` is set and it is taken;
 *   `no-directory`
 */
export async function checkFree(
  client: Client,
  path: string,
  noClobber: boolean,
  folderExists = false,
): Promise<void> {
  const existing = await entryAt(client, path);
  if (existing?.type === "dir") throw new BargeError("exists", "it is a folder", { path });
  if (existing && noClobber) throw existsAlready(path);
  if (existing || folderExists || (await entryAt(client, parentOf(path)))?.type === "dir") return;
  throw new BargeError("no-directory", "there is no such folder", { path: parentOf(path) });
}

/** Returns whether a path is a folder's, or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  const asFolder = (path: string) => join(path, "*").slice(0, -1);
  return asFolder(path).startsWith(asFolder(folder));
}
