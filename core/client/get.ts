/**
 * Remote files and trees to this machine: `get` of the command line, without its words. The mirror
 * image of put.ts: find, fetch, and last remove what the source does not have.
 */
import { BargeError, typed } from "../error.ts";
import type { Client } from "./client.ts";
import { checkOverlap, isBelow, noFolderFor } from "./transfer/conflict.ts";
import { digest } from "./digest.ts";
import { Downloader, noStoredDigest, type Output } from "./download/downloader.ts";
import { Report, type Totals } from "./transfer/events.ts";
import { type Excluded, excludedBy, excludedWithin } from "./transfer/excluded.ts";
import {
  isStandardOutput,
  localTarget,
  lstat,
  openStream,
  stat as look,
} from "./download/local_target.ts";
import { checkLocal } from "./local_name.ts";
import { clearWay } from "./download/clear_way.ts";
import type { TransferOptions } from "./transfer/options.ts";
import { type Action, decide, extraneous, type Item, toMove } from "./transfer/plan.ts";
import { remoteItem, treeBelow } from "./transfer/remote_tree.ts";
import { stat } from "./stat.ts";
import { baseName, checkTogether, join, meansContents, parentOf, trimSlashes } from "./path.ts";
import type { Omission } from "../protocol/message.ts";
import { describeOmission } from "../protocol/omission.ts";
import { again } from "./upload/uploader.ts";
import { UntilClosed } from "./download/until_closed.ts";
import { walk } from "./transfer/walk.ts";

export interface GetOptions extends TransferOptions {
  /** What the target `-` writes to; standard output where it is not given. */
  readonly output?: Output;
  /** Fail with `digest` for a file without a stored digest. */
  readonly requireDigest?: boolean;
}

/** One source, found. */
type Job =
  | { readonly type: "failed"; readonly path: string; readonly error: BargeError }
  | {
    readonly type: "file" | "tree";
    /** Where it comes from and goes to: the file, or the root of the tree. */
    readonly path: string;
    readonly local: string;
    readonly items: readonly Item[];
    readonly actions: ReadonlyMap<string, Action>;
    /** The remote names that the server can't show. */
    readonly omitted?: Omission;
    /** A target that is written in place: a device, a FIFO, standard output. */
    readonly stream?: boolean;
  };

/**
 * Gets sources to where the target says. A target that is a folder, or ends in `/`, is one to put
 * into, and so it is for several sources; else it is the file's own name. A folder comes with its
 * name, or, with a slash at its end, as its contents.
 *
 * @param sources remote paths
 * @param target a local path; `-` is standard output
 * @returns what it came to; what became of each file is told by `onEvent`
 * @throws {BargeError} `usage` for what makes no sense together; `interrupted`. Any other failure
 *   is a file's own, and the others go on
 */
export async function get(
  client: Client,
  sources: readonly string[],
  target = ".",
  options: GetOptions = {},
): Promise<Totals> {
  checkTogether("get", sources, target, options);
  if (options.requireDigest && options.verify === false) {
    throw new BargeError("usage", "a digest is either required or not looked at", {
      op: "get",
      hint: "use --require-digest or --no-verify",
    });
  }
  const report = new Report(options.onEvent);
  const jobs: Job[] = [];
  for (const source of sources) {
    const job = await find(client, source, target, sources.length > 1, options);
    if (job) jobs.push(job);
    if (client.closed?.kind === "interrupted") throw client.closed;
  }
  checkOverlap(
    "get",
    jobs.filter((job) => job.type !== "failed").map(({ path, local, items }) => ({
      source: path,
      root: local,
      items,
    })),
  );
  report.plan(...size(jobs));
  const downloader = new Downloader(client, report, options.verify, options.requireDigest);
  for (const job of jobs) {
    if (job.type === "failed") report.failed(job.path, target, job.error);
    else await run(client, downloader, report, job, options);
    if (client.closed?.kind === "interrupted") throw client.closed;
  }
  await downloader.drained();
  if (client.closed?.kind === "interrupted") throw client.closed;
  return report.totals;
}

async function find(
  client: Client,
  source: string,
  target: string,
  several: boolean,
  options: GetOptions,
): Promise<Job | undefined> {
  const path = trimSlashes(source);
  const name = baseName(source);
  const excluded = await excludedBy(options.exclude);
  try {
    const { entry } = await stat(client, path);
    if (!entry) {
      throw new BargeError("not-found", "only a half-finished upload is there", {
        hint: "finish it by the same put again",
      });
    }
    if (excluded(name, entry.type)) return undefined;
    if (entry.type === "file") {
      const { local, stream } = fileTarget(target, name, several);
      const item = { ...remoteItem(entry), name: "" };
      const actions = new Map([["", stream ? "send" : action(item, local, options, look)]]);
      if (options.dryRun && !stream) rehearse(local);
      return { type: "file", path, local, items: [item], actions, stream };
    }
    if (!options.recursive) throw new BargeError("usage", "is a folder", { hint: "use -r" });
    if (isStandardOutput(target)) {
      throw new BargeError("usage", "a folder does not fit into standard output");
    }
    const contents = meansContents(source);
    if (!contents) checkLocal(name);
    const local = join(target, contents ? "" : name);
    if (!contents && lstat(local)?.isSymlink) {
      throw new BargeError("exists", "it is a symbolic link", {
        path: local,
        hint: `\`barge get -r ${path}/ ${local}\` follows it`,
      });
    }
    let omitted: Omission | undefined;
    const items = [...(await treeBelow(client, path, entry, (found) => omitted = found)).values()]
      .filter((item) => item.name === "" || !excludedWithin(excluded, item.name, item.type));
    const actions = new Map<string, Action>();
    for (const item of items) {
      if (item.type === "file") {
        actions.set(item.name, action(item, join(local, item.name), options, lstat));
      }
    }
    return { type: "tree", path, local, items, actions, omitted };
  } catch (cause) {
    const failure = typed(cause, { op: "get", path });
    const hint = failure.kind === "unavailable" ? again : undefined;
    return { type: "failed", path, error: failure.with({ hint }) };
  }
}

/** Returns the target of a single file, and whether it is written in place. */
function fileTarget(
  target: string,
  name: string,
  several: boolean,
): { local: string; stream: boolean } {
  if (target === "-") return { local: target, stream: true };
  const facts = look(target);
  const inside = facts?.isDirectory ?? false;
  if (!inside && (several || target.endsWith("/"))) {
    throw new BargeError("no-directory", "there is no such folder", {
      path: target,
      hint: "make it first",
    });
  }
  if (inside) checkLocal(name);
  const local = inside ? join(target, name) : target;
  const way = localTarget(local);
  return way.type === "file" ? { local: way.path, stream: false } : { local, stream: true };
}

/** @param look finds out what the local name is: a tree does not follow links, a named file does */
function action(
  item: Item,
  local: string,
  options: GetOptions,
  look: (path: string) => Deno.FileInfo | undefined,
): Action {
  if (!options.update && !options.checksum) return "send";
  const facts = look(local);
  if (!facts?.isFile) return "send";
  const modified = facts.mtime?.getTime() ?? 0;
  return decide(item, { name: item.name, type: "file", size: facts.size, modified }, options);
}

/** What a dry run can tell of a single file's target. */
function rehearse(local: string): void {
  if (look(local)?.isDirectory) throw new BargeError("exists", "it is a folder", { path: local });
  const folder = parentOf(local);
  if (look(folder)?.isDirectory) return;
  throw new BargeError("no-directory", "there is no such folder", { path: folder });
}

function size(jobs: readonly Job[]): [files: number, bytes: number] {
  let [files, bytes] = [0, 0];
  for (const job of jobs) {
    if (job.type === "failed") continue;
    const moving = toMove(job.items, job.actions);
    files += moving.files;
    bytes += moving.bytes;
  }
  return [files, bytes];
}

/** Fetches one source. */
async function run(
  client: Client,
  downloader: Downloader,
  report: Report,
  job: Exclude<Job, { type: "failed" }>,
  options: GetOptions,
): Promise<void> {
  const before = report.totals.failed;
  if (job.omitted) tellOmitted(report, job.path, job.local, job.omitted);
  const tree = job.type === "tree";
  const way = {
    delete: options.delete ?? false,
    dryRun: options.dryRun ?? false,
    excluded: await excludedBy(options.exclude),
    closed: () => client.closed,
  };
  /** Local names that a dry run would remove, and remote folders that can't be made here. */
  const cleared = new Set<string>();
  const blocked = new Set<string>();
  for (const item of job.items) {
    const path = join(job.path, item.name);
    const local = tree ? join(job.local, item.name) : job.local;
    await options.ready?.();
    if (client.closed?.kind === "interrupted") throw client.closed;
    if (isBelow(item.name, blocked)) {
      if (item.type === "file") report.failed(path, local, noFolderFor(local), item.size);
      continue;
    }
    if (tree && item.name !== "") {
      try {
        checkLocal(item.name);
        if (!downloader.lacks(local) && await clearWay(job.local, item.name, item.type, way)) {
          cleared.add(item.name);
          report.removed(path, local);
        }
      } catch (cause) {
        report.failed(path, local, typed(cause, { op: "get", path: local }), item.size);
        if (item.type === "dir") blocked.add(item.name);
        continue;
      }
    }
    if (item.type === "dir") {
      if (options.dryRun || makeFolder(report, path, local, item.name === "")) continue;
      if (item.name === "") return;
      blocked.add(item.name);
      continue;
    }
    const action = job.actions.get(item.name);
    const same = action === "compare"
      ? await equal(client, local, path, item).catch(() => false)
      : action === "skip";
    const facts = { path, local, size: item.size, sha256: item.sha256 ?? null, offset: 0 };
    if (same) {
      report.done({ ...facts, status: "skipped", error: null, verified: null });
    } else if (options.noClobber && !job.stream && lstat(local)) {
      report.failed(path, local, new BargeError("exists", "it exists already", { path: local }));
    } else if (options.requireDigest && facts.sha256 === null) {
      report.failed(path, local, noStoredDigest().with({ op: "get", path }), item.size);
    } else if (options.dryRun) {
      report.bytes(item.size);
      report.done({ ...facts, status: "sent", error: null, verified: null });
    } else if (job.stream) {
      await stream(client, downloader, report, path, local, options);
    } else {
      await downloader.file(path, local, item);
    }
  }
  if (job.type !== "tree") return;
  await downloader.drained();
  if (options.delete) {
    if (report.totals.failed > before) {
      report.note(`nothing was removed from ${job.local}, because not all of ${job.path} came`);
    } else {
      await sweep(client, report, job, way, cleared);
    }
  }
  if (!options.dryRun) setTimes(job.local, job.items);
}

/**
 * Unsendable names may mean missing data, which is a failure. Omitted links and special files are
 * noted.
 */
function tellOmitted(report: Report, path: string, local: string, omitted: Omission): void {
  const what = describeOmission(omitted);
  if (omitted.unnamed === 0) return report.note(`${path}: ${what}`);
  const hint = "whoever runs the server has to rename it there";
  report.failed(path, local, new BargeError("refused", what, { op: "get", path, hint }));
}

/** Fetches a file into a target that is written in place. */
async function stream(
  client: Client,
  downloader: Downloader,
  report: Report,
  path: string,
  local: string,
  options: GetOptions,
): Promise<void> {
  if (isStandardOutput(local)) {
    return await downloader.stream(path, options.output ?? Deno.stdout, local);
  }
  try {
    using file = await openStream(local, new UntilClosed(client));
    await downloader.stream(path, file, local);
  } catch (cause) {
    report.failed(path, local, typed(cause, { op: "write", path: local }));
  }
}

/** @param top whether it is the tree's own folder: that one may be a link, those below it not */
function makeFolder(report: Report, path: string, local: string, top: boolean): boolean {
  try {
    Deno.mkdirSync(local, { recursive: true });
    // Where case or composition makes no difference, a link of another spelling may be there.
    if (top || Deno.lstatSync(local).isDirectory) return true;
    throw new BargeError("exists", "it is a symbolic link here");
  } catch (cause) {
    report.failed(path, local, typed(cause, { op: "get", path: local }));
    return false;
  }
}

/** Removes what the source tree does not have; what barge would not have made is left alone. */
async function sweep(
  client: Client,
  report: Report,
  job: Extract<Job, { items: unknown }>,
  { excluded, dryRun }: { readonly excluded: Excluded; readonly dryRun: boolean },
  cleared: ReadonlySet<string>,
): Promise<void> {
  if (dryRun && !look(job.local)) return;
  const tree = await walk(job.local, { excluded: () => false, closed: () => client.closed });
  const kept = new Set(job.items.map(({ name }) => name));
  for (const { name, message } of tree.left) {
    kept.add(name);
    report.note(message);
  }
  for (const { name } of tree.failed) kept.add(name);
  const existing = tree.items.filter(({ name }) => !isBelow(name, cleared));
  for (const { name, type } of extraneous(existing, kept, excluded)) {
    const local = join(job.local, name);
    try {
      if (!dryRun) Deno.removeSync(local, { recursive: type === "dir" });
      report.removed(join(job.path, name), local);
    } catch (cause) {
      report.failed(join(job.path, name), local, typed(cause, { op: "remove", path: local }));
    }
  }
}

/** Last, since whatever is put into a folder changes its time; what is within before what is above. */
function setTimes(root: string, items: readonly Item[]): void {
  for (const { name, type, modified } of items.toReversed()) {
    if (type !== "dir") continue;
    try {
      if (name !== "" && !lstat(join(root, name))?.isDirectory) continue; // a link, which was refused
      Deno.utimeSync(join(root, name), new Date(), new Date(modified));
    } catch { /* the folder is another's; its files are what was asked for */ }
  }
}

/** Have both sides the same bytes? */
async function equal(client: Client, local: string, path: string, item: Item): Promise<boolean> {
  const { hashFile } = await import("./transfer/hash.ts");
  const ours = await hashFile(local, () => client.closed);
  return ours === (item.sha256 ?? (await digest(client, path)).digest);
}
