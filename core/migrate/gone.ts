/**
 * Removes from the target the files and folders that the source does not have any more. Their content stays
 * for a day, so that a file that was moved at the source can use it, and need not be sent again.
 */
import { change } from "../shared/tree/change.ts";
import { below, folderId, nodeAt } from "../shared/tree/node_rows.ts";
import type { Statements } from "../shared/database/postgres.ts";
import type { SharedStorage } from "../shared/storage.ts";
import { removeNode } from "../shared/tree/remove_node.ts";
import { folderOf, type Place, relative } from "../storage/place.ts";
import type { Report } from "./report.ts";
import type { PassMark } from "./state.ts";
import { type Source, spaces } from "./source.ts";

/** Content without a name, by its digest. */
export type FreeContents = Map<string, { readonly content: number; readonly size: number }>;

/** The most removed files whose content is remembered. */
const maxFree = 100_000;

/** Removes files and folders that the source does not have. @returns their content */
export async function removeGone(
  source: Source,
  shared: SharedStorage,
  mark: PassMark,
  report: Report,
): Promise<FreeContents> {
  const free: FreeContents = new Map();
  const { db } = shared.parts;

  const remove = async (place: Place) => {
    await change(db, [place], [], async ({ tx }) => {
      await mark.check(tx);
      const node = await nodeAt(tx, place);
      if (!node) return;
      for (const { sha256, content, size } of await filesBelow(tx, node.id)) {
        if (free.size < maxFree) free.set(sha256, { content, size });
      }
      await removeNode(tx, node.id);
    });
    report.removed++;
  };

  const compare = async (dir: string): Promise<void> => {
    if (await folderId(db, dir) === undefined) return;
    const here = await source.names(dir).catch(() => undefined);
    if (!here) return; // the pass over the files reports the reason
    const { files, folders } = here;
    const names = { file: new Set(files), dir: new Set(folders) };
    const common: string[] = [];
    for await (const page of shared.tree.pages(folderOf({ dir, name: "" }))) {
      for (const { name, entry: { type } } of page) {
        if (type === "other" || !names[type].has(name)) await remove({ dir, name });
        else if (type === "dir") common.push(name);
      }
    }
    for (const name of common) await compare(relative({ dir, name }));
  };

  for (const space of spaces) await compare(space);
  return free;
}

async function filesBelow(
  tx: Statements,
  id: number,
): Promise<{ readonly sha256: string; readonly content: number; readonly size: number }[]> {
  return await tx.all(
    `${below} SELECT encode(sha256, 'hex') AS sha256, content, size FROM below JOIN node USING (id)
     WHERE NOT folder LIMIT ${maxFree}`,
    id,
  );
}
