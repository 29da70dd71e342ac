/** Finds a source of a download: its remote files, its local target, and the plan. */
import { BargeError, typed } from "../../error.ts";
import type { Entry, Omission } from "../../protocol/message.ts";
import type { Client } from "../client.ts";
import { checkLocal } from "../local_name.ts";
import { baseName, join, meansContents, parentOf, trimSlashes } from "../path.ts";
import { stat as statRemote } from "../stat.ts";
import { excludedBy, excludedWithin } from "../transfer/excluded.ts";
import { withResumeHint } from "../transfer/failure.ts";
import type { TransferOptions } from "../transfer/options.ts";
import { type Action, decide, type Item } from "../transfer/plan.ts";
import { remoteItem, treeBelow } from "../transfer/remote_tree.ts";
import type { FailedSource, Source } from "../transfer/run.ts";
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
  const excluded = await excludedBy(options.exclude);
  try {
    const { entry } = await statRemote(client, path);
    if (!entry) {
      const hint = "complete it by the same put again";
      throw new BargeError("not-found", "only a partial upload exists", { hint });
    }
    if (excluded(name, entry.type)) return undefined;
    return entry.type === "file"
      ? fileSource(path, entry, target, several, options)
      : await treeSource(client, source, entry, target, options);
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
  options: GetOptions,
): DownloadSource {
  const item = { ...remoteItem(entry), name: "" };
  const { type, local } = fileTarget(target, baseName(path), several);
  const action = type === "file" ? decideLocal(item, stat(local), options) : "send";
  if (options.dryRun && type === "file") checkTarget(local);
  return { type, local, path, items: [item], actions: new Map([["", action]]) };
}

async function treeSource(
  client: Client,
  source: string,
  entry: Entry,
  target: string,
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
  let omitted: Omission | undefined;
  const tree = await treeBelow(client, path, entry, (omission) => omitted = omission);
  const excluded = await excludedBy(options.exclude);
  const items = [...tree.values()]
    .filter(({ name, type }) => name === "" || !excludedWithin(excluded, name, type));
  const compared = options.update || options.checksum ? items : [];
  const actions = new Map(
    compared.filter(({ type }) => type === "file")
      .map((item) => [item.name, decideLocal(item, lstat(join(local, item.name)), options)]),
  );
  return { type: "tree", local, path, items, actions, omitted };
}

/** Returns the local name of a single file, and whether it is written in place. */
function fileTarget(
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
