/** Lists the entries of a remote folder that a filter takes. */
import type { Client } from "../../core/client/client.ts";
import { everything, type Facts, filterOf } from "../../core/client/filter/filter.ts";
import type { FilterOptions } from "../../core/client/filter/options.ts";
import { Selection } from "../../core/client/filter/selection.ts";
import { list } from "../../core/client/list.ts";
import { join, trimSlashes } from "../../core/client/path.ts";
import { stat } from "../../core/client/stat.ts";
import { remoteItem } from "../../core/client/transfer/remote_tree.ts";
import { BargeError } from "../../core/error.ts";
import type { Entry, Omission } from "../../core/protocol/message.ts";
import { describeOmission } from "../../core/protocol/omission.ts";
import { note } from "../_term/out.ts";

/** An entry of a listing, with its remote path. */
export interface Listed {
  readonly path: string;
  readonly entry: Entry;
}

export interface ListedOptions {
  readonly recursive: boolean;
  /** Undefined: all entries. */
  readonly filter?: FilterOptions;
  readonly signal: AbortSignal;
}

/**
 * Yields the entries of a folder, or a file itself, whose name is then its whole path. Notes names that
 * the server can't show. The loop must not await other requests of the connection.
 *
 * @throws {BargeError} as `list`; `usage` for rules that can't be compiled
 */
export async function* listed(
  client: Client,
  named: string,
  { recursive, filter: chosen, signal }: ListedOptions,
): AsyncGenerator<Listed, void, void> {
  const path = trimSlashes(named);
  const { entry } = await stat(client, path);
  const isFile = entry?.type === "file";
  const filter = chosen ? await filterOf({ ...chosen, ignoreFiles: false }) : everything;
  const selection = new Selection<Facts & Listed>(filter);
  const missing = new Set(chosen?.names);
  missing.delete(""); // the folder itself
  const onOmitted = (omission: Omission) => note(`barge: ${path}: ${describeOmission(omission)}`);
  for await (const entry of list(client, path, { recursive, onOmitted })) {
    signal.throwIfAborted();
    missing.delete(entry.name);
    const own = isFile ? path : join(path, entry.name);
    const shown = isFile ? { ...entry, name: path } : entry;
    const item = { ...remoteItem(entry), path: own, entry: shown };
    if (chosen) yield* selection.add(item);
    else yield item;
  }
  const [name] = missing;
  if (name === undefined) return;
  throw new BargeError("not-found", "there is no file or folder", { path: join(path, name) });
}
