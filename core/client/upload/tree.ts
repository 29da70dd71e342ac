/**
 * Uploads a local tree: its folders and files in order, then removals, then the times of folders.
 *
 * Nothing is removed unless all of the tree was sent. Folders get their times at the end, the inner
 * ones first, since every change inside a folder changes its time.
 */
import { BargeError, typed } from "../../error.ts";
import { mkdir } from "../change.ts";
import { leftOut } from "../filter/selection.ts";
import { join, parentOf } from "../path.ts";
import { checkRemovals } from "../transfer/brake.ts";
import { conflicts, isBelow, protectedBelow } from "../transfer/conflict.ts";
import { deleteHint, noFolderFor, withResumeHint } from "../transfer/failure.ts";
import { onLocal } from "../transfer/local_failure.ts";
import { extraneous, type Item } from "../transfer/plan.ts";
import { type Upload, uploadFile } from "./file.ts";
import type { UploadSource } from "./source.ts";

export class TreeUpload {
  readonly #upload: Upload;
  readonly #source: UploadSource;
  /** Names that were removed at the target because they had another type. */
  readonly #cleared = new Set<string>();
  /** Folders that could not be made. */
  readonly #blocked = new Set<string>();
  /** Folders whose content changes. */
  readonly #changed = new Set<string>();

  constructor(upload: Upload, source: UploadSource) {
    this.#upload = upload;
    this.#source = source;
  }

  /** Uploads the tree; every result is reported. @throws {BargeError} `interrupted` */
  async run(): Promise<void> {
    const { client, report, options, uploader } = this.#upload;
    const { local, path, items, failed, omitted, existing } = this.#source;
    const failedBefore = report.totals.failed;
    if (!this.#checkRemovals()) return;
    for (const { name, error } of failed) report.failed(join(path, name), join(local, name), error);
    for (const { message } of omitted) report.note(message);
    if (!options.dryRun && !await this.#makeRoot()) return;
    const conflicting = conflicts(items, existing);
    for (const item of options.others?.length ? foldersFirst(items) : items) {
      await options.ready?.();
      client.throwIfInterrupted();
      await this.#send(item, conflicting.get(item.name));
    }
    if (options.delete) await uploader.drained();
    if (options.delete && report.totals.failed === failedBefore) {
      await this.#removeExtraneous();
    } else if (options.delete) {
      report.note(`nothing was removed from ${path}, because not all of ${local} could be sent`);
    }
    if (!options.dryRun) await this.#setTimes();
  }

  /** Checks the number of removals. @returns false if there are too many, which is reported */
  #checkRemovals(): boolean {
    const { report, options } = this.#upload;
    const { local, path, items, existing } = this.#source;
    if (!options.delete || !options.maxDelete) return true;
    try {
      const all = [...existing.values()];
      checkRemovals(path, all, items, keptNames(this.#source, all), options.maxDelete);
      return true;
    } catch (cause) {
      report.failed(path, local, typed(cause, { op: "put" }));
      return false;
    }
  }

  async #makeRoot(): Promise<boolean> {
    const { local, path } = this.#source;
    try {
      await mkdir(this.#upload.client, path, { parents: true });
      return true;
    } catch (cause) {
      const error = withResumeHint(typed(cause, { op: "put", path }));
      this.#upload.report.failed(path, local, error);
      return false;
    }
  }

  /** @param obstacle the target's item of the same name, if it has another type */
  async #send(item: Item, obstacle: Item | undefined): Promise<void> {
    const { report, options, uploader } = this.#upload;
    const { name, type, size } = item;
    const [local, path] = this.#paths(name);
    if (isBelow(name, this.#blocked)) {
      if (type === "file") report.failed(path, local, noFolderFor(path), size);
      return;
    }
    if (obstacle) {
      try {
        await this.#clear(item, obstacle);
      } catch (cause) {
        report.failed(path, local, typed(cause, { op: "put", path }), size);
        if (type === "dir") this.#blocked.add(name);
        return;
      }
      this.#cleared.add(name);
      this.#changed.add(folderOf(name));
    }
    const existing = obstacle ? undefined : this.#source.existing.get(name);
    if (type === "file") {
      const sent = await uploadFile(this.#upload, this.#source, item, existing, deleteHint);
      if (sent) this.#changed.add(folderOf(name));
    } else if (name !== "" && !existing) {
      if (!options.dryRun) await uploader.folder(path, local, deleteHint);
      this.#changed.add(folderOf(name));
    }
  }

  /**
   * Removes the target's file or folder that has the name of a folder or file of the source.
   *
   * @throws {BargeError} `exists` if it must stay; the failure to open the local file, or to remove
   */
  async #clear({ name, type }: Item, obstacle: Item): Promise<void> {
    const { report, options, uploader } = this.#upload;
    const [local, path] = this.#paths(name);
    const isFolder = obstacle.type === "dir";
    const stays = (why: string, hint?: string) =>
      new BargeError("exists", `it is a ${isFolder ? "folder" : "file"} there${why}`, { hint });
    if (!options.delete) throw stays("", deleteHint);
    if (this.#source.failed.length > 0) {
      throw stays(`, which stays, because not all of ${this.#source.local} can be read`);
    }
    const { existing, filter } = this.#source;
    const kept = protectedBelow(obstacle, existing.values(), filter);
    if (kept !== undefined) {
      throw stays(`, and a filter protects ${join(this.#source.path, kept)}`);
    }
    // Nothing is removed for a file that can't be read.
    if (type === "file") onLocal("read", local, () => Deno.openSync(local)).close();
    if (options.dryRun) report.removed(path, local);
    else await uploader.clear(path, local, isFolder);
  }

  /** Removes the target's items that the source does not have. */
  async #removeExtraneous(): Promise<void> {
    const { report, options, uploader } = this.#upload;
    const existing = [...this.#source.existing.values()]
      .filter(({ name }) => !isBelow(name, this.#cleared));
    for (const { name, type } of extraneous(existing, keptNames(this.#source, existing))) {
      this.#changed.add(folderOf(name));
      const [local, path] = this.#paths(name);
      if (options.dryRun) report.removed(path, local);
      else await uploader.remove(path, local, type === "dir");
    }
  }

  async #setTimes(): Promise<void> {
    const { client, uploader } = this.#upload;
    const { path, items, existing } = this.#source;
    for (const { name, type, modified } of items.toReversed()) {
      if (type !== "dir" || client.closed) continue;
      if (existing.get(name)?.modified === modified && !this.#changed.has(name)) continue;
      await uploader.folderTime(join(path, name), modified);
    }
  }

  #paths(name: string): [local: string, path: string] {
    return [join(this.#source.local, name), join(this.#source.path, name)];
  }
}

/** Returns the names that stay at the target; omitted names are among them. */
function keptNames(
  { names, omitted, filter }: UploadSource,
  existing: readonly Item[],
): ReadonlySet<string> {
  const kept = new Set(names);
  for (const { name } of [...omitted, ...leftOut(existing, filter)]) kept.add(name);
  return kept;
}

/** Returns the folders of a tree, then its files, so that other connections find the folders. */
function foldersFirst(items: readonly Item[]): readonly Item[] {
  const files = items.filter(({ type }) => type === "file");
  return [...items.filter(({ type }) => type === "dir"), ...files];
}

/** Returns the folder of a name in a tree; "" for the root. */
function folderOf(name: string): string {
  return name.includes("/") ? parentOf(name) : "";
}
