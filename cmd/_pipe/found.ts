/** Finds the entries of a remote tree that a filter takes by their own facts. */
import type { Client } from "../../core/client/client.ts";
import { filterOf, leavesOut } from "../../core/client/filter/filter.ts";
import type { FilterOptions } from "../../core/client/filter/options.ts";
import { list } from "../../core/client/list.ts";
import { join } from "../../core/client/path.ts";
import { entryAt } from "../../core/client/stat.ts";
import { remoteItem } from "../../core/client/transfer/remote_tree.ts";
import { BargeError } from "../../core/error.ts";
import type { Omission } from "../../core/protocol/message.ts";
import { describeOmission } from "../../core/protocol/omission.ts";
import { note } from "../_term/out.ts";
import type { Listed } from "../_client/listed.ts";

/**
 * Yields the files and folders below a folder, or a file itself. A filter that chooses files by size,
 * age or pattern takes no folders. Notes names that the server can't show. The loop must not await
 * other requests of the connection.
 *
 * @param path without slashes at its end
 * @throws {BargeError} `not-found`, and as `list`
 */
export async function* found(
  client: Client,
  path: string,
  chosen: FilterOptions,
  signal: AbortSignal,
): AsyncGenerator<Listed, void, void> {
  const filter = await filterOf({ ...chosen, ignoreFiles: false });
  const root = await entryAt(client, path);
  if (!root) throw new BargeError("not-found", "there is no such file or folder", { path });
  const onOmitted = (omission: Omission) => note(`barge: ${path}: ${describeOmission(omission)}`);
  for await (const entry of list(client, path, { recursive: true, onOmitted })) {
    signal.throwIfAborted();
    const item = remoteItem(entry);
    const isTaken = !leavesOut(filter, item) &&
      (item.type === "file" || filter.takes?.(item) !== false);
    if (isTaken) yield { path: root.type === "file" ? path : join(path, entry.name), entry };
  }
}
