/** Removes the files of remote folders that a filter takes, or prints them for a dry run. */
import { remove } from "../../core/client/change.ts";
import type { Client } from "../../core/client/client.ts";
import { filterOf } from "../../core/client/filter/filter.ts";
import type { FilterOptions } from "../../core/client/filter/options.ts";
import { leavesOutSource, leftOut } from "../../core/client/filter/selection.ts";
import { listAll } from "../../core/client/list.ts";
import { baseName, join } from "../../core/client/path.ts";
import { stat } from "../../core/client/stat.ts";
import { type Item, notKept } from "../../core/client/transfer/plan.ts";
import { remoteItem } from "../../core/client/transfer/remote_tree.ts";
import { BargeError, type Kind, typed } from "../../core/error.ts";
import { report, withVerb } from "../_term/fail.ts";
import { printJson, printLine } from "../_term/out.ts";
import { AtOnce } from "./at_once.ts";
import { checkChangeable, isBuiltIn } from "./built_in.ts";

export interface RemoveChosenOptions {
  /** Undefined: everything goes. */
  readonly filter: FilterOptions | undefined;
  /** Go through folders. */
  readonly recursive: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/**
 * Removes a file that the filter takes, or the contents of a folder that it takes: first the files,
 * then the folders that are empty. With a filter, the folder itself stays.
 *
 * @returns the kinds of the failures of single files, which are reported, and the number of removed files
 * @throws {BargeError} `not-found`; `exists` for a folder without `recursive`, and for a dry run of a
 *   built-in folder
 */
export async function removeChosen(
  client: Client,
  path: string,
  options: RemoveChosenOptions,
): Promise<{ readonly failures: readonly Kind[]; readonly removed: number }> {
  const { recursive, filter: chosen } = options;
  const { entry } = await stat(client, path);
  if (options.dryRun && !chosen) checkChangeable(path);
  const removal = new Removal(client, options);
  const filter = chosen && await filterOf({ ...chosen, names: undefined, ignoreFiles: false });
  if (entry?.type !== "dir") {
    const item = entry && { ...remoteItem(entry), name: baseName(path) };
    const stays = item && filter && leavesOutSource(filter, item, {});
    if (!stays) await removal.one(path, "file");
    return removal;
  }
  const entries = await listAll(client, path, { recursive: true });
  if (!recursive && (filter || entries.length > 0)) {
    throw new BargeError("exists", "it is a folder", { hint: "use -r" });
  }
  const items = entries.map(remoteItem);
  const kept = filter ? leftOut(items, filter).map(({ name }) => name) : [];
  await removal.all(path, notKept(items, kept));
  if (!filter) await removal.one(path, "dir");
  return removal;
}

/** Removes files and empty folders, and reports each of them. */
class Removal {
  readonly #client: Client;
  readonly #options: RemoveChosenOptions;
  readonly failures: Kind[] = [];
  removed = 0;

  constructor(client: Client, options: RemoveChosenOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Removes the items of a tree. @throws {BargeError} why the connection is closed */
  async all(root: string, items: readonly Item[]): Promise<void> {
    const pending = new AtOnce();
    const add = async ({ name, type }: Item) => {
      const path = join(root, name);
      await pending.add(
        this.one(path, type).catch((cause) => {
          if (this.#client.closed) throw this.#client.closed;
          const error = withVerb(typed(cause, { op: "rm", path }), "rm");
          report(error, { debug: false });
          this.failures.push(error.kind);
        }),
      );
    };
    for (const item of items) if (item.type === "file") await add(item);
    await pending.done();
    // The server answers requests in their order, so that a folder goes after the folders in it.
    for (const item of items.toReversed()) if (item.type === "dir") await add(item);
    await pending.done();
  }

  /** Removes a file or an empty folder. */
  async one(path: string, type: "file" | "dir"): Promise<void> {
    const { dryRun, json } = this.#options;
    if (dryRun ? isBuiltIn(path) : !await this.#remove(path, type)) return;
    const removed = type === "file" ? 1 : 0;
    this.removed += removed;
    if (json) printJson({ path, removed, ...dryRun ? { dryRun } : {} });
    else if (dryRun) printLine(`remove ${path}${type === "dir" ? "/" : ""}`);
  }

  /** @returns false if another client has removed it or put a file into it, and for a built-in folder */
  async #remove(path: string, type: "file" | "dir"): Promise<boolean> {
    try {
      await remove(this.#client, path);
      return true;
    } catch (cause) {
      const { kind } = typed(cause);
      const stays = kind === "not-found" || type === "dir" && kind === "exists";
      if (!stays || this.#client.closed) throw cause;
      return false;
    }
  }
}
