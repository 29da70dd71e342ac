/** What a remote folder holds, as plans need it. */
import { BargeError } from "../../error.ts";
import type { Entry, Omission } from "../../protocol/message.ts";
import type { Client } from "../client.ts";
import { list } from "../list.ts";
import type { Item } from "./plan.ts";
import { entryAt } from "../stat.ts";
import { parseTime } from "../../protocol/time.ts";

/** A remote entry in a plan's terms. */
export function remoteItem({ name, type, size, modified, sha256 }: Entry): Item {
  return { name, type, size: type === "dir" ? 0 : size, modified: parseTime(modified)!, sha256 };
}

/**
 * All of a remote tree by name, its root as "", in the server's order; empty where there is none.
 *
 * @throws {BargeError} `exists` when a file has that name; `denied`
 */
export async function remoteTree(client: Client, path: string): Promise<Map<string, Item>> {
  const root = await entryAt(client, path);
  if (!root) return new Map();
  if (root.type === "file") throw new BargeError("exists", "it is a file, not a folder", { path });
  return await treeBelow(client, path, root);
}

/** The same, of a folder whose entry is known. @param onOmitted called when it holds more than can be shown */
export async function treeBelow(
  client: Client,
  path: string,
  root: Entry,
  onOmitted?: (omission: Omission) => void,
): Promise<Map<string, Item>> {
  const items = new Map<string, Item>([["", { ...remoteItem(root), name: "" }]]);
  for await (const entry of list(client, path, { recursive: true, onOmitted })) {
    items.set(entry.name, remoteItem(entry));
  }
  return items;
}
