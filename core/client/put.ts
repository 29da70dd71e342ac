/**
 * Local files and trees to the server: `put` of the command line, without its words.
 *
 * First all that is to be sent is found, on both sides where that matters; then it is sent over one
 * connection; last, and only when all of a tree went well, what the source does not have is removed.
 */
import { BargeError, typed } from "../error.ts";
import type { Client } from "./client.ts";
import {
  checkOverlap,
  conflicts,
  deleteHint,
  isBelow,
  noFolderFor,
  protectedBelow,
} from "./transfer/conflict.ts";
import { Report, type Totals } from "./transfer/events.ts";
import { excludedBy } from "./transfer/excluded.ts";
import type { TransferOptions } from "./transfer/options.ts";
import { type Action, decide, extraneous, type Item, toMove } from "./transfer/plan.ts";
import { remoteItem, remoteTree } from "./transfer/remote_tree.ts";
import type { Content } from "./upload/send.ts";
import { baseName, checkTogether, join, meansContents, parentOf } from "./path.ts";
import { again, Uploader } from "./upload/uploader.ts";
import { digest } from "./digest.ts";
import { mkdir } from "./mkdir.ts";
import { entryAt } from "./stat.ts";
import { type LocalTree, walk } from "./transfer/walk.ts";

export interface PutOptions extends TransferOptions {
  /** Take what symbolic links lead to, instead of leaving them out. */
  readonly follow?: boolean;
  /** What the source `-` reads; standard input where it is not given. */
  readonly input?: Content;
}

/** One source, found. */
type Job =
  | { readonly type: "stdin"; readonly path: string }
  | { readonly type: "failed"; readonly path: string; readonly local: string; error: BargeError }
  | { readonly type: "file" | "tree" } & Found;

interface Found {
  /** Where it comes from and goes to: the file, or the root of the tree. */
  readonly local: string;
  readonly path: string;
  readonly tree: LocalTree;
  /** What is at the target already, by name; empty where nobody needs to know. */
  readonly there: ReadonlyMap<string, Item>;
  readonly actions: ReadonlyMap<string, Action>;
}

/**
 * Puts sources where the target says. A target that ends in `/` is a folder to put into, and so it
 * is for several sources; else it is the file's own name. A folder goes with its name, or, with a
 * slash at its end, as its contents.
 *
 * @param sources local paths; `-` is standard input
 * @param target a remote path
 * @returns what it came to; what became of each file is told by `onEvent`
 * @throws {BargeError} `usage` for what makes no sense together; `interrupted`. Any other failure
 *   is a file's own, and the others go on
 */
export async function put(
  client: Client,
  sources: readonly string[],
  target: string,
  options: PutOptions = {},
): Promise<Totals> {
  checkTogether("put", sources, target, options);
  const report = new Report(options.onEvent);
  const jobs: Job[] = [];
  const inside = target.endsWith("/") || sources.length > 1;
  for (const source of sources) {
    const job = await find(client, source, target, inside, options);
    if (job) jobs.push(job);
    if (client.closed?.kind === "interrupted") throw client.closed;
  }
  checkOverlap(
    "put",
    jobs.filter((job) => "tree" in job).map(({ local, path, tree }) => ({
      source: local,
      root: path,
      items: tree.items,
    })),
  );
  report.plan(...size(jobs));
  using uploader = new Uploader(client, report, options);
  const hint = inside ? undefined : `write ${target}/ to put it inside`;
  for (const job of jobs) {
    if (job.type === "failed") report.failed(job.path, job.local, job.error);
    else if (job.type === "stdin") await stdin(client, uploader, report, job.path, options, hint);
    else await run(client, uploader, report, job, options, hint);
    if (client.closed?.kind === "interrupted") throw client.closed;
  }
  await uploader.drained();
  if (client.closed?.kind === "interrupted") throw client.closed;
  return report.totals;
}

async function find(
  client: Client,
  source: string,
  target: string,
  inside: boolean,
  options: PutOptions,
): Promise<Job | undefined> {
  if (source === "-") return { type: "stdin", path: target };
  const local = source;
  const name = baseName(source);
  const excluded = await excludedBy(options.exclude);
  let path = inside ? join(target, name) : target;
  try {
    const facts = look(source, options.follow ?? false);
    if (facts.isDirectory) {
      if (!options.recursive) throw new BargeError("usage", "is a folder", { hint: "use -r" });
      if (excluded(name, "dir")) return undefined;
      path = join(target, meansContents(source) ? "" : name);
    } else if (excluded(name, "file")) return undefined;
    const tree = facts.isDirectory
      ? await walk(source, {
        follow: options.follow,
        excluded,
        leaveParts: true,
        closed: () => client.closed,
      })
      : single(facts);
    const type = facts.isDirectory ? "tree" : "file";
    const there = await known(client, path, type, options);
    const actions = new Map(
      tree.items.map((item) => [item.name, decide(item, there.get(item.name), options)]),
    );
    if (type === "file" && options.dryRun) await rehearse(client, path, options);
    return { type, local, path, tree, there, actions };
  } catch (cause) {
    const failure = typed(cause, { op: "put", path: local });
    return { type: "failed", path, local, error: cut(failure) };
  }
}

/** What a named source is; one that can't be sent is a failure, not only left out. */
function look(source: string, follow: boolean): Deno.FileInfo {
  const facts = follow ? Deno.statSync(source) : Deno.lstatSync(source);
  if (facts.isSymlink) {
    throw new BargeError("usage", "is a symbolic link", { hint: "use --follow" });
  }
  if (!facts.isFile && !facts.isDirectory) {
    throw new BargeError("usage", "is neither a file nor a folder", {
      hint: "put - takes standard input",
    });
  }
  return facts;
}

function single(facts: Deno.FileInfo): LocalTree {
  const modified = facts.mtime?.getTime() ?? 0;
  return { items: [{ name: "", type: "file", size: facts.size, modified }], failed: [], left: [] };
}

/** What is at the target, as far as the options ask for it. */
async function known(
  client: Client,
  path: string,
  type: "file" | "tree",
  options: PutOptions,
): Promise<ReadonlyMap<string, Item>> {
  const { update, checksum, dryRun } = options;
  if (type === "file") {
    if (!update && !checksum) return new Map();
    const entry = await entryAt(client, path);
    return new Map(entry ? [["", { ...remoteItem(entry), name: "" }]] : []);
  }
  if (!update && !checksum && !dryRun && !options.delete) return new Map();
  return await remoteTree(client, path);
}

/** What a dry run can tell of a single file's target. */
async function rehearse(client: Client, path: string, { noClobber }: PutOptions): Promise<void> {
  const there = await entryAt(client, path);
  if (there?.type === "dir") {
    throw new BargeError("exists", "it is a folder", { path, hint: `write ${path}/` });
  }
  if (there && noClobber) throw new BargeError("exists", "it exists already", { path });
  const folder = await entryAt(client, parentOf(path));
  if (folder?.type !== "dir") throw new BargeError("no-directory", "there is no such folder");
}

function size(jobs: readonly Job[]): [files: number, bytes: number] {
  let [files, bytes] = [0, 0];
  for (const job of jobs) {
    if (job.type === "stdin") files++;
    if (!("tree" in job)) continue;
    const moving = toMove(job.tree.items, job.actions);
    files += moving.files;
    bytes += moving.bytes;
  }
  return [files, bytes];
}

async function stdin(
  client: Client,
  uploader: Uploader,
  report: Report,
  path: string,
  options: PutOptions,
  hint?: string,
): Promise<void> {
  const input = options.input ?? { read: (into: Uint8Array) => Deno.stdin.read(into) };
  if (!options.dryRun) return await uploader.stream(input, path, hint);
  try {
    await rehearse(client, path, options);
    report.done({ path, local: "-", ...nothing, status: "sent" });
  } catch (cause) {
    report.failed(path, "-", cut(typed(cause, { op: "put", path })));
  }
}

const nothing = { size: 0, sha256: null, offset: 0, error: null } as const;

/** Sends one source, and waits for its answers where something depends on them. */
async function run(
  client: Client,
  uploader: Uploader,
  report: Report,
  job: Extract<Job, Found>,
  options: PutOptions,
  hint?: string,
): Promise<void> {
  const { local, path, tree, there, actions } = job;
  const isTree = job.type === "tree";
  const inTheWay = conflicts(isTree ? tree.items : [], there);
  /** Names that were removed at the target, and folders that could not be made. */
  const cleared = new Set<string>();
  const blocked = new Set<string>();
  const here = (name: string) => isTree ? join(local, name) : local;
  const before = report.totals.failed;
  for (const { name, error } of tree.failed) {
    report.failed(join(path, name), here(name), error);
  }
  for (const { message } of tree.left) report.note(message);
  if (isTree && !options.dryRun && !await makeRoot(client, report, path, local)) return;
  const changed = new Set<string>();
  for (const item of tree.items) {
    const to = join(path, item.name);
    await options.ready?.();
    if (client.closed?.kind === "interrupted") throw client.closed;
    if (isBelow(item.name, blocked)) {
      if (item.type === "file") report.failed(to, here(item.name), noFolderFor(to), item.size);
      continue;
    }
    const other = inTheWay.get(item.name);
    if (other) {
      try {
        await makeWay(uploader, report, job, item, other, options);
        cleared.add(item.name);
        changed.add(folderOf(item.name));
      } catch (cause) {
        report.failed(to, here(item.name), typed(cause, { op: "put", path: to }), item.size);
        if (item.type === "dir") blocked.add(item.name);
        continue;
      }
    }
    if (item.type === "dir") {
      if (item.name === "" || there.get(item.name)?.type === "dir") continue;
      if (!options.dryRun) await uploader.folder(to, here(item.name), deleteHint);
      changed.add(folderOf(item.name));
      continue;
    }
    const action = actions.get(item.name);
    const same = action === "compare"
      ? await equal(client, here(item.name), to, there.get(item.name)).catch(() => false)
      : action === "skip";
    const sha256 = same ? there.get(item.name)?.sha256 ?? null : null;
    const facts = { path: to, local: here(item.name), size: item.size, sha256 };
    if (same) {
      report.done({ ...facts, status: "skipped", offset: 0, error: null });
    } else if (options.dryRun && isTree && options.noClobber && there.get(item.name) && !other) {
      report.failed(to, facts.local, new BargeError("exists", "it exists already", { path: to }));
    } else if (options.dryRun) {
      report.bytes(item.size);
      report.done({ ...facts, status: "sent", offset: 0, error: null });
    } else {
      if (item.name !== "") changed.add(folderOf(item.name));
      await uploader.file(here(item.name), to, isTree ? deleteHint : hint);
    }
  }
  if (!isTree) return;
  if (options.delete) {
    await uploader.drained();
    if (report.totals.failed > before) {
      report.note(`nothing was removed from ${path}, because not all of ${local} could be sent`);
    } else {
      await prune(uploader, report, job, options, changed, cleared);
    }
  }
  if (!options.dryRun) await setTimes(client, uploader, job, changed);
}

/**
 * Removes a file or folder at the target that has the name of a folder or file of the source.
 *
 * @param other what is at the target
 * @throws {BargeError} `exists` where it has to stay; the failure to open the local file, or to
 *   remove
 */
async function makeWay(
  uploader: Uploader,
  report: Report,
  { local, path, tree, there }: Found,
  item: Item,
  other: Item,
  options: PutOptions,
): Promise<void> {
  const what = other.type === "dir" ? "it is a folder there" : "it is a file there";
  if (!options.delete) throw new BargeError("exists", what, { hint: deleteHint });
  if (tree.failed.length > 0) {
    throw new BargeError("exists", `${what}, which stays, because not all of ${local} can be read`);
  }
  const kept = protectedBelow(other, there.values(), await excludedBy(options.exclude));
  if (kept !== undefined) {
    throw new BargeError("exists", `${what}, and --exclude protects ${join(path, kept)}`);
  }
  const to = join(path, item.name);
  const from = join(local, item.name);
  if (item.type === "file") Deno.openSync(from).close(); // nothing is removed for a file that can't be read
  if (options.dryRun) report.removed(to, from);
  else await uploader.clear(to, from, other.type === "dir");
}

/** Removes what the source tree does not have; a name that was only left out is kept. */
async function prune(
  uploader: Uploader,
  report: Report,
  { local, path, tree, there }: Found,
  options: PutOptions,
  changed: Set<string>,
  cleared: ReadonlySet<string>,
): Promise<void> {
  const kept = new Set([...tree.items, ...tree.left].map(({ name }) => name));
  const excluded = await excludedBy(options.exclude);
  const existing = [...there.values()].filter(({ name }) => !isBelow(name, cleared));
  for (const item of extraneous(existing, kept, excluded)) {
    changed.add(folderOf(item.name));
    const [to, from] = [join(path, item.name), join(local, item.name)];
    if (options.dryRun) report.removed(to, from);
    else await uploader.remove(to, from, item.type === "dir");
  }
}

/** Last, since whatever is put into a folder changes its time; what is within before what is above. */
async function setTimes(
  client: Client,
  uploader: Uploader,
  { path, tree, there }: Found,
  changed: ReadonlySet<string>,
): Promise<void> {
  for (const { name, type, modified } of tree.items.toReversed()) {
    if (type !== "dir" || client.closed) continue;
    if (there.get(name)?.modified === modified && !changed.has(name)) continue;
    await uploader.folderTime(join(path, name), modified);
  }
}

async function makeRoot(client: Client, report: Report, path: string, local: string) {
  try {
    await mkdir(client, path, { parents: true });
    return true;
  } catch (cause) {
    report.failed(path, local, cut(typed(cause, { op: "put", path })));
    return false;
  }
}

/** Have both sides the same bytes? */
async function equal(client: Client, local: string, path: string, there?: Item): Promise<boolean> {
  const { hashFile } = await import("./transfer/hash.ts");
  const [ours, theirs] = await Promise.all([
    hashFile(local, () => client.closed),
    there?.sha256 ?? digest(client, path).then((answer) => answer.digest),
  ]);
  return ours === theirs;
}

function folderOf(name: string): string {
  return name.includes("/") ? parentOf(name) : "";
}

function cut(error: BargeError): BargeError {
  return error.kind === "unavailable" ? error.with({ hint: again }) : error;
}
