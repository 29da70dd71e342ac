/** The rows of share links. */
import type { Statements } from "../database/postgres.ts";

/** Ends the share links to a file or folder that is moved, and to everything below it. */
export async function loseShares(tx: Statements, node: number): Promise<void> {
  await tx.all(
    `WITH RECURSIVE below (id) AS (
       SELECT $1::bigint UNION ALL SELECT node.id FROM node JOIN below ON node.parent = below.id
     ) UPDATE share SET node = NULL FROM below WHERE share.node = below.id`,
    node,
  );
}
