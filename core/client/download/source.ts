/** Finds a source of a download: its remote files, its local target, and the plan. */
import { BargeError, typed } from "../../error.ts";
import type { Entry, Omission } from "../../protocol/message.ts";
import type { Client } from "../client.ts";
import { ignoreFileName } from "../filter/excluded.ts";
import { type Filter, filterOf } from "../filter/filter.ts";
import { leavesOutSource, select } from "../filter/selection.ts";
import { checkLocal } from "../local_name.ts";
import { baseName, join, meansContents, parentOf, trimSlashes } from "../path.ts";
import { stat as statRemote } from "../stat.ts";
import { withResumeHint } from "../transfer/failure.ts";
import type { TransferOptions } from "../transfer/options.ts";
import { type Action, decide, type Item } from "../transfer/plan.ts";
import { remoteItem, treeBelow } from "../transfer/remote_tree.ts";
import type { FailedSource, Source } from "../transfer/run.ts";
import { BatchesAhead } from "./batches_ahead.ts";
import type { Output } from "./downloader.ts";
import { isStandardOutput, localTarget, lstat, stat } from "./local_target.ts";

export interface GetOptions extends TransferOptions {
  /** Receives the bytes for the target `-`; standard output by default. */
  readonly output?: Output;
  /** Fail with `digest` for a file without a stored digest. */
  readonly requireDigest?: boolean;
}

export interface DownloadSource extends Source {
  /** `stream`: a device, a FIFO or standard output, which is written without a temporary file. */
  readonly type: "file" | "tree" | "stream";
  /** The remote names that the server can't show. */
  readonly omitted?: Omission;
  /** Listed names that the remote folder does not have. */
  readonly missing?: readonly string[];
}

/**
 * @param several whether other sources have the same target
 * @returns undefined for an excluded source
 */
export async function findDownload(
  client: Client,
  source: string,
  target: string,
  several: boolean,
  options: GetOptions,
): Promise<DownloadSource | FailedSource | undefined> {
  const path = trimSlashes(source);
  const name = baseName(source);
  const filter = await filterOf(options);
  try {
    const { entry } = await statRemote(client, path);
    if (!entry) {
      const hint = "complete it by the same put again";
      throw new BargeError("not-found", "only a partial upload exists", { hint });
    }
    if (leavesOutSource(filter, { ...remoteItem(entry), name }, options)) return undefined;
    if (entry.type === "file" && options.done?.has(path)) return undefined;
    return entry.type === "file"
      ? fileSource(path, entry, target, several, filter, options)
      : await treeSource(client, source, entry, target, several, filter, options);
  } catch (cause) {
    const error = withResumeHint(typed(cause, { op: "get", path }));
    return { local: target, path, error };
  }
}

function fileSource(
  path: string,
  entry: Entry,
  target: string,
  several: boolean,
  filter: Filter,
  options: GetOptions,
): DownloadSource {
  const item = { ...remoteItem(entry), name: "" };
  const { type, local } = fileTarget(target, baseName(path), several);
  const action = type === "file" ? decideLocal(item, stat(local), options) : "send";
  if (options.dryRun && type === "file") checkTarget(local);
  const actions = new Map([["", action]]);
  return { type, local, path, items: [item], names: [""], filter, actions };
}

async function treeSource(
  client: Client,
  source: string,
  entry: Entry,
  target: string,
  several: boolean,
  filter: Filter,
  options: GetOptions,
): Promise<DownloadSource> {
  if (!options.recursive) throw new BargeError("usage", "is a folder", { hint: "use -r" });
  if (isStandardOutput(target)) {
    throw new BargeError("usage", "a folder does not fit into standard output");
  }
  const path = trimSlashes(source);
  const name = meansContents(source) ? "" : baseName(source);
  const local = join(target, name);
  if (name !== "") {
    checkLocal(name);
    if (lstat(local)?.isSymlink) {
      const hint = `\`barge get -r ${path}/ ${local}\` follows it`;
      throw new BargeError("exists", "it is a symbolic link", { path: local, hint });
    }
  }
  // A folder that does not exist here needs every file, over this connection, before any other request.
  const { others, dryRun, requireDigest } = options;
  const ahead = several || others?.length || dryRun || requireDigest || lstat(local)
    ? undefined
    : new BatchesAhead(client, path, filter);
  let omitted: Omission | undefined;
  const tree = await treeBelow(client, path, entry, {
    onItem: (item) => ahead?.add(item),
    onOmitted: (omission) => omitted = omission,
  });
  if (filter.readIgnoreFile) await readIgnoreFiles(filter.readIgnoreFile, local, tree.values());
  const items = select([...tree.values()], filter)
    .filter(({ name, type }) => type === "dir" || !options.done?.has(join(path, name)));
  const compared = options.update || options.checksum ? items : [];
  const actions = new Map(
    compared.filter(({ type }) => type === "file")
      .map((item) => [item.name, decideLocal(item, lstat(join(local, item.name)), options)]),
  );
  const missing = (options.names ?? []).filter((name) => !tree.has(name));
  const names = [...tree.keys()];
  return { type: "tree", local, path, items, names, missing, filter, actions, omitted };
}

/** Reads the `.bargeignore` files that the local counterparts of remote folders have. */
async function readIgnoreFiles(
  read: NonNullable<Filter["readIgnoreFile"]>,
  local: string,
  items: Iterable<Item>,
): Promise<void> {
  if (!stat(local)?.isDirectory) return;
  for (const { name, type } of items) {
    if (type === "dir" && lstat(join(join(local, name), ignoreFileName))) await read(local, name);
  }
}

/** Returns the local name of a single file, and whether it is written in place. */
export function fileTarget(
  target: string,
  name: string,
  several: boolean,
): { type: "file" | "stream"; local: string } {
  if (target === "-") return { type: "stream", local: target };
  const inside = stat(target)?.isDirectory ?? false;
  if (!inside && (several || target.endsWith("/"))) {
    const hint = "make it first";
    throw new BargeError("no-directory", "there is no such folder", { path: target, hint });
  }
  if (inside) checkLocal(name);
  const local = inside ? join(target, name) : target;
  const writing = localTarget(local);
  return writing.type === "file"
    ? { type: "file", local: writing.path }
    : { type: "stream", local };
}

/** @param facts the facts of the local name: in a tree of the name itself, else with links followed */
function decideLocal(item: Item, facts: Deno.FileInfo | undefined, options: GetOptions): Action {
  if (!facts?.isFile) return "send";
  const modified = facts.mtime?.getTime() ?? 0;
  return decide(item, { name: item.name, type: "file", size: facts.size, modified }, options);
}

/** Checks for a dry run that a file can be written at a local name. @throws {BargeError} why not */
function checkTarget(local: string): void {
  if (stat(local)?.isDirectory) throw new BargeError("exists", "it is a folder", { path: local });
  const folder = parentOf(local);
  if (stat(folder)?.isDirectory) return;
  throw new BargeError("no-directory", "there is no such folder", { path: folder });
}
