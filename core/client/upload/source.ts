/** Finds a source of an upload: its local files, the existing names at its target, and the plan. */
import { BargeError, typed } from "../../error.ts";
import type { Client } from "../client.ts";
import { everything, filterOf } from "../filter/filter.ts";
import { leavesOutSource, select } from "../filter/selection.ts";
import { baseName, join, meansContents, parentOf } from "../path.ts";
import { entryAt } from "../stat.ts";
import { existsAlready, withResumeHint } from "../transfer/failure.ts";
import { localFailure, onLocal } from "../transfer/local_failure.ts";
import type { TransferOptions } from "../transfer/options.ts";
import { decide, type Item } from "../transfer/plan.ts";
import { remoteItem, remoteTree } from "../transfer/remote_tree.ts";
import type { FailedSource, Source } from "../transfer/run.ts";
import { itemOf, type LocalTree, walk } from "../transfer/walk.ts";
import type { Content } from "./send.ts";

export interface PutOptions extends TransferOptions {
  /** Follow symbolic links instead of omitting them. */
  readonly follow?: boolean;
  /** The content of the source `-`; standard input by default. */
  readonly input?: Content;
}

export interface UploadSource extends Source, Omit<LocalTree, "items"> {
  readonly type: "file" | "tree" | "stream";
  /** The names at the target; empty where the options do not need them. */
  readonly existing: ReadonlyMap<string, Item>;
}

/**
 * @param inside whether the target is a folder to put into
 * @returns undefined for a source that is excluded or already done
 */
export async function findUpload(
  client: Client,
  source: string,
  target: string,
  inside: boolean,
  options: PutOptions,
): Promise<UploadSource | FailedSource | undefined> {
  if (source === "-") return stream(target);
  const name = baseName(source);
  const filter = await filterOf(options);
  let path = inside ? join(target, name) : target;
  try {
    const facts = statSource(source, options.follow ?? false);
    const isTree = facts.isDirectory;
    if (isTree && !options.recursive) {
      throw new BargeError("usage", "is a folder", { hint: "use -r" });
    }
    if (leavesOutSource(filter, itemOf(name, facts), options)) return undefined;
    if (isTree) path = join(target, meansContents(source) ? "" : name);
    const { follow } = options;
    const { excluded, readIgnoreFile } = filter;
    const closed = () => client.closed;
    const tree = isTree
      ? await walk(source, { follow, excluded, readIgnoreFile, omitParts: true, closed })
      : single(itemOf("", facts));
    const existing = await existingItems(client, path, isTree, options);
    const items = select(tree.items, filter)
      .filter(({ name, type }) => type === "dir" || !options.done?.has(join(path, name)));
    if (!isTree && items.length === 0) return undefined;
    const actions = new Map(
      items.map((item) => [item.name, decide(item, existing.get(item.name), options)]),
    );
    if (!isTree && options.dryRun) await checkTarget(client, path, options);
    const type = isTree ? "tree" : "file";
    const names = tree.items.map(({ name }) => name);
    const { omitted } = tree;
    const failed = [...tree.failed, ...missingNames(options, source, names)];
    const found = { items, names, failed, omitted, filter, existing, actions };
    return { type, local: source, path, ...found };
  } catch (cause) {
    const error = withResumeHint(typed(cause, { op: "put", path: source }));
    return { local: source, path, error };
  }
}

/** Checks for a dry run that a file can be put at a path. @throws {BargeError} why not */
export async function checkTarget(
  client: Client,
  path: string,
  { noClobber }: PutOptions,
): Promise<void> {
  const existing = await entryAt(client, path);
  if (existing?.type === "dir") {
    throw new BargeError("exists", "it is a folder", { path, hint: `write ${path}/` });
  }
  if (existing && noClobber) throw existsAlready(path);
  const folder = await entryAt(client, parentOf(path));
  if (folder?.type !== "dir") throw new BargeError("no-directory", "there is no such folder");
}

function stream(path: string): UploadSource {
  const tree = single({ name: "", type: "file", size: 0, modified: 0 });
  const nothing = { names: [], existing: new Map(), actions: new Map() };
  return { type: "stream", local: "-", path, ...tree, ...nothing, filter: everything };
}

function single(item: Item): LocalTree {
  return { items: [item], failed: [], omitted: [] };
}

/** Returns the names of `names` that the local folder does not have, as failures. */
function missingNames({ names = [] }: PutOptions, source: string, found: readonly string[]) {
  const existing = new Set(found);
  return names.filter((name) => !existing.has(name)).flatMap((name) => {
    const path = join(source, name);
    try {
      Deno.lstatSync(path);
      return []; // it was left out for another reason
    } catch (cause) {
      return [{ name, error: localFailure("read", path, cause) }];
    }
  });
}

/** @throws {BargeError} `usage` for a source that can't be sent, which a tree only omits */
function statSource(source: string, follow: boolean): Deno.FileInfo {
  const read = follow ? Deno.statSync : Deno.lstatSync;
  const facts = onLocal("read", source, () => read(source));
  if (facts.isSymlink) {
    throw new BargeError("usage", "is a symbolic link", { hint: "use --follow" });
  }
  if (!facts.isFile && !facts.isDirectory) {
    const hint = "put - takes standard input";
    throw new BargeError("usage", "is neither a file nor a folder", { hint });
  }
  return facts;
}

async function existingItems(
  client: Client,
  path: string,
  isTree: boolean,
  options: PutOptions,
): Promise<ReadonlyMap<string, Item>> {
  const compares = options.update || options.checksum;
  if (isTree && (compares || options.dryRun || options.delete)) {
    return await remoteTree(client, path);
  }
  const entry = !isTree && compares ? await entryAt(client, path) : null;
  return new Map(entry ? [["", { ...remoteItem(entry), name: "" }]] : []);
}
