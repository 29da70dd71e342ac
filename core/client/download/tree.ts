/**
 * Downloads a remote tree: its folders and files in order, then removals, then the times of folders.
 *
 * Nothing is removed unless all of the tree was received. Folders get their times at the end, the inner
 * ones first, since every change inside a folder changes its time.
 */
import { BargeError, typed } from "../../error.ts";
import { describeOmission } from "../../protocol/omission.ts";
import { leftOut } from "../filter/selection.ts";
import { checkLocal } from "../local_name.ts";
import { join } from "../path.ts";
import { checkRemovals } from "../transfer/brake.ts";
import { isBelow } from "../transfer/conflict.ts";
import { noFolderFor } from "../transfer/failure.ts";
import { onLocal } from "../transfer/local_failure.ts";
import { extraneous, type Item } from "../transfer/plan.ts";
import { type LocalTree, walk } from "../transfer/walk.ts";
import { clearWay, type WayOptions } from "./clear_way.ts";
import { type Download, downloadFile } from "./file.ts";
import { lstat, stat } from "./local_target.ts";
import type { DownloadSource } from "./source.ts";

export class TreeDownload {
  readonly #download: Download;
  readonly #source: DownloadSource;
  /** Local names that were removed because they had another type. */
  readonly #cleared = new Set<string>();
  /** Folders that can't be made on this machine. */
  readonly #blocked = new Set<string>();

  constructor(download: Download, source: DownloadSource) {
    this.#download = download;
    this.#source = source;
  }

  /** Downloads the tree; every result is reported. @throws {BargeError} `interrupted` */
  async run(): Promise<void> {
    const { client, report, options, downloader } = this.#download;
    const { local, path, items, filter } = this.#source;
    const failedBefore = report.totals.failed;
    const wayOptions = { ...options, filter, closed: () => client.closed };
    if (!await this.#checkRemovals(wayOptions)) return;
    this.#reportOmitted();
    for (const item of items) {
      await options.ready?.();
      client.throwIfInterrupted();
      const isMade = await this.#receive(item, wayOptions);
      if (!isMade && item.name === "") return;
    }
    await downloader.drained();
    if (options.delete && report.totals.failed === failedBefore) {
      await this.#removeExtraneous(wayOptions);
    } else if (options.delete) {
      report.note(`nothing was removed from ${local}, because not all of ${path} arrived`);
    }
    if (!options.dryRun) this.#setTimes();
  }

  /** Checks the number of removals. @returns false if there are too many, which is reported */
  async #checkRemovals({ closed }: WayOptions): Promise<boolean> {
    const { report, options } = this.#download;
    const { local, path, items } = this.#source;
    if (!options.delete || !options.maxDelete || !stat(local)) return true;
    try {
      const tree = await walk(local, { excluded: () => false, closed });
      checkRemovals(local, tree.items, items, this.#keptNames(tree), options.maxDelete);
      return true;
    } catch (cause) {
      report.failed(path, local, typed(cause, { op: "get" }));
      return false;
    }
  }

  /** Returns the local names that stay; those that a download can't make are among them. */
  #keptNames({ items, omitted, failed }: LocalTree): ReadonlySet<string> {
    const { names, filter } = this.#source;
    const kept = new Set(names);
    for (const { name } of [...omitted, ...failed, ...leftOut(items, filter)]) kept.add(name);
    return kept;
  }

  /** Reports missing names, and those that the server can't show if they may be missing data. */
  #reportOmitted(): void {
    const { report } = this.#download;
    const { local, path, omitted, missing = [] } = this.#source;
    for (const name of missing) {
      const error = new BargeError("not-found", "there is no file or folder", { op: "get" });
      report.failed(join(path, name), join(local, name), error.with({ path: join(path, name) }));
    }
    if (!omitted) return;
    const why = describeOmission(omitted);
    if (omitted.unnamed === 0) return report.note(`${path}: ${why}`);
    const hint = "the server's operator has to rename it";
    report.failed(path, local, new BargeError("refused", why, { op: "get", path, hint }));
  }

  /** @returns false for a folder that could not be made */
  async #receive(item: Item, wayOptions: WayOptions): Promise<boolean> {
    const { report, options, downloader } = this.#download;
    const { name, type, size } = item;
    const local = join(this.#source.local, name);
    const path = join(this.#source.path, name);
    if (isBelow(name, this.#blocked)) {
      if (type === "file") report.failed(path, local, noFolderFor(local), size);
      return false;
    }
    try {
      if (name !== "") {
        checkLocal(name);
        const isFree = downloader.lacks(local);
        if (!isFree && await clearWay(this.#source.local, name, type, wayOptions)) {
          this.#cleared.add(name);
          report.removed(path, local);
        }
      }
      if (type === "dir" && !options.dryRun) makeFolder(local, name === "");
    } catch (cause) {
      report.failed(path, local, typed(cause, { op: "get", path: local }), size);
      if (type === "dir") this.#blocked.add(name);
      return false;
    }
    if (type === "file") await downloadFile(this.#download, this.#source, item);
    return true;
  }

  /** Removes local items that the source does not have, except those that a download can't make. */
  async #removeExtraneous({ dryRun, closed }: WayOptions): Promise<void> {
    const { report } = this.#download;
    const { local: root, path } = this.#source;
    if (dryRun && !stat(root)) return;
    const tree = await walk(root, { excluded: () => false, closed });
    for (const { message } of tree.omitted) report.note(message);
    const existing = tree.items.filter(({ name }) => !isBelow(name, this.#cleared));
    for (const { name, type } of extraneous(existing, this.#keptNames(tree))) {
      const local = join(root, name);
      try {
        if (!dryRun) {
          onLocal("remove", local, () => Deno.removeSync(local, { recursive: type === "dir" }));
        }
        report.removed(join(path, name), local);
      } catch (cause) {
        report.failed(join(path, name), local, typed(cause, { op: "remove", path: local }));
      }
    }
  }

  #setTimes(): void {
    for (const { name, type, modified } of this.#source.items.toReversed()) {
      if (type !== "dir") continue;
      const local = join(this.#source.local, name);
      try {
        if (name !== "" && !lstat(local)?.isDirectory) continue; // a link, which was refused
        Deno.utimeSync(local, new Date(), new Date(modified));
      } catch { /* the folder belongs to another user; its files are complete */ }
    }
  }
}

/** @param isRoot whether it is the tree's own folder, which may be a link */
function makeFolder(local: string, isRoot: boolean): void {
  onLocal("make", local, () => Deno.mkdirSync(local, { recursive: true }));
  // On a file system that ignores case, a link of another spelling may have the name.
  if (isRoot || Deno.lstatSync(local).isDirectory) return;
  throw new BargeError("exists", "it is a symbolic link here");
}
