/** Lists a remote tree as the items of a plan. */
import { BargeError } from "../../error.ts";
import type { Entry, Omission } from "../../protocol/message.ts";
import type { Client } from "../client.ts";
import { list } from "../list.ts";
import type { Item } from "./plan.ts";
import { entryAt } from "../stat.ts";
import { parseTime } from "../../protocol/time.ts";

/** Returns the item of a remote entry. */
export function remoteItem({ name, type, size, modified, sha256 }: Entry): Item {
  return { name, type, size: type === "dir" ? 0 : size, modified: parseTime(modified)!, sha256 };
}

/**
 * Returns the items of a remote tree by name, the root as "", in the server's order; empty if there
 * is no such folder.
 *
 * @throws {BargeError} `exists` if it is a file; `denied`
 */
export async function remoteTree(client: Client, path: string): Promise<Map<string, Item>> {
  const root = await entryAt(client, path);
  if (!root) return new Map();
  if (root.type === "file") throw new BargeError("exists", "it is a file, not a folder", { path });
  return await treeBelow(client, path, root);
}

interface TreeEvents {
  /** Called with each item below the root as soon as it is listed. */
  readonly onItem?: (item: Item) => void;
  /** See `ListOptions`. */
  readonly onOmitted?: (omission: Omission) => void;
}

/** Returns the items below a folder whose entry is known. */
export async function treeBelow(
  client: Client,
  path: string,
  root: Entry,
  { onItem, onOmitted }: TreeEvents = {},
): Promise<Map<string, Item>> {
  const items = new Map<string, Item>([["", { ...remoteItem(root), name: "" }]]);
  for await (const entry of list(client, path, { recursive: true, onOmitted })) {
    const item = remoteItem(entry);
    items.set(entry.name, item);
    onItem?.(item);
  }
  return items;
}
