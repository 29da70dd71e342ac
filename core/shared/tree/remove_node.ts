/** Removes entries of the tree, however many they are. */
import type { Statements } from "../database/postgres.ts";
import { below } from "./node_rows.ts";

/** The most rows that one statement removes, so that each statement meets its deadline. */
const maxRows = 2000;

/**
 * Removes a file, or a folder with all that is in it and the uploads into it.
 *
 * @param tx a transaction that has locked the spaces of the entries
 * @returns the number of removed files that were charged to accounts
 */
export async function removeNode(tx: Statements, id: number): Promise<number> {
  await tx.all(`${below} DELETE FROM upload USING below WHERE upload.parent = below.id`, id);
  const ids = await idsBelow(tx, id);
  let files = 0;
  for (let start = 0; start < ids.length; start += maxRows) {
    const [removed] = await tx.all<{ files: number }>(
      `WITH gone AS (
         DELETE FROM node WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::text::jsonb))
         RETURNING folder, owner)
       SELECT count(*) FILTER (WHERE NOT folder AND owner IS NOT NULL) AS files FROM gone`,
      JSON.stringify(ids.slice(start, start + maxRows)),
    );
    files += removed.files;
  }
  return files;
}

/** Returns the ids of an entry and of all below it, each after those in it, as text. */
async function idsBelow(tx: Statements, id: number): Promise<string[]> {
  const [{ ids }] = await tx.all<{ ids: string }>(
    `WITH RECURSIVE below (id, depth) AS (
       SELECT $1::bigint, 0
       UNION ALL SELECT node.id, depth + 1 FROM node JOIN below ON node.parent = below.id
     ) SELECT string_agg(id::text, ',' ORDER BY depth DESC) AS ids FROM below`,
    id,
  );
  return ids.split(",");
}
