/** Storage that many machines share, as the source of a migration. Nodes may use it meanwhile. */
import { decodeName, encodeName } from "../shared/database/name.ts";
import { nodeColumns, type NodeRow, nodesFrom } from "../shared/tree/node_rows.ts";
import type { Statements } from "../shared/database/postgres.ts";
import { pageRows } from "../storage/pages.ts";

/** A file or folder at one moment. Its content never changes. */
export interface SharedEntry extends Omit<NodeRow, "name"> {
  readonly name: string;
  readonly verified: boolean;
}

const columns = `${nodeColumns},
  coalesce((SELECT verified FROM content WHERE content.id = node.content), true) AS verified`;

/** Yields the entries of a folder by pages. @param folder its id */
export async function* entriesOf(
  db: Statements,
  folder: number,
): AsyncGenerator<SharedEntry[], void, void> {
  for (let last = "";;) {
    const rows = await db.all<NodeRow & { readonly verified: boolean }>(
      `SELECT ${columns} FROM ${nodesFrom("$1::bigint", "decode($2, 'hex')", pageRows)}
       WHERE node.parent = $1::bigint ORDER BY node.name`,
      folder,
      last,
    );
    const entries = rows.map((row) => ({ ...row, name: decodeName(row.name) }));
    if (entries.length > 0) yield entries;
    if (rows.length < pageRows) return;
    last = encodeName(entries.at(-1)!.name);
  }
}

/** Returns the number of files, and of their bytes. */
export async function totalsOf(db: Statements): Promise<{ files: number; bytes: number }> {
  const [totals] = await db.all<{ files: number; bytes: number }>(
    `SELECT count(*) AS files, coalesce(sum(size), 0)::bigint AS bytes FROM node WHERE NOT folder`,
  );
  return totals;
}
