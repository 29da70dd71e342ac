/**
 * Uploads whose holder is gone, because its node has died or was cut off. Such an upload becomes a partial
 * upload, which reserves only the staged bytes, or ends if none are staged. Every node looks for such
 * uploads. A holder that comes back finds that it is not the holder any more.
 */
import type { Postgres } from "../database/postgres.ts";
import { staged, staleSeconds } from "../tree/upload_rows.ts";

/** Releases the uploads whose holders are gone. @returns their number */
export async function releaseStaleUploads(db: Postgres): Promise<number> {
  const stale = `holder IS NOT NULL AND touched < now() - interval '${staleSeconds} seconds'`;
  return await db.transaction(async (tx) => {
    const rows = await tx.all<{ id: number; staged: number }>(
      `SELECT id, ${staged} AS staged FROM upload WHERE ${stale}
       ORDER BY account, id FOR NO KEY UPDATE SKIP LOCKED`,
    );
    for (const { id, staged } of rows) {
      if (staged === 0) await tx.all("DELETE FROM upload WHERE id = $1", id);
      else {
        await tx.all(
          "UPDATE upload SET holder = NULL, want = least(want, $2::bigint) WHERE id = $1",
          id,
          staged,
        );
      }
    }
    return rows.length;
  });
}
