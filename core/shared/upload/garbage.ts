/**
 * The collector: removes content that nothing refers to, and objects that no piece refers to.
 *
 * It scans neither the bucket nor the files: content that lost a reference has a row in `garbage`, and an
 * object that no piece refers to yet has a time in `object.until`. Several nodes may collect at once.
 */
import { reached } from "../../storage/fault.ts";
import { objectName, releaseObjects } from "../bucket/objects.ts";
import type { Parts } from "../bucket/parts.ts";
import { keepPartialDays } from "../tree/upload_rows.ts";

/** The number of rows that one step takes. */
const batch = 100;

export interface Collected {
  readonly contents: number;
  readonly objects: number;
}

/** Collects the garbage that is due. @throws {BargeError} `unavailable`; the next call collects the rest */
export async function collectGarbage(parts: Parts, signal?: AbortSignal): Promise<Collected> {
  await dropOldUploads(parts);
  let contents = 0;
  let objects = 0;
  while (!signal?.aborted) {
    const removed = await removeContents(parts);
    contents += removed;
    if (removed < batch) break;
  }
  while (!signal?.aborted) {
    const removed = await removeObjects(parts);
    objects += removed;
    if (removed < batch) break;
  }
  return { contents, objects };
}

/** Drops partial uploads a week after their last write, and the records of finished ones after a week. */
async function dropOldUploads({ db }: Parts): Promise<void> {
  const old = `now() - interval '${keepPartialDays} days'`;
  await db.all(`DELETE FROM upload WHERE touched < ${old}`);
  await db.all(`DELETE FROM finished_upload WHERE finished < ${old}`);
}

async function removeContents({ db }: Parts): Promise<number> {
  return await db.transaction(async (tx) => {
    const due = await tx.all<{ content: number }>(
      `DELETE FROM garbage WHERE content IN (SELECT content FROM garbage WHERE after < now()
         ORDER BY after LIMIT ${batch} FOR UPDATE SKIP LOCKED) RETURNING content`,
    );
    const ids = JSON.stringify(due.map(({ content }) => content));
    const free = `SELECT value::bigint FROM jsonb_array_elements_text($1::text::jsonb)
      WHERE NOT EXISTS (SELECT 1 FROM node WHERE content = value::bigint)
        AND NOT EXISTS (SELECT 1 FROM upload WHERE content = value::bigint)`;
    const gone = await tx.all<{ object: number }>(
      `DELETE FROM piece WHERE content IN (${free}) RETURNING object`,
      ids,
    );
    await releaseObjects(tx, gone.map(({ object }) => object));
    await tx.all(`DELETE FROM content WHERE id IN (${free})`, ids);
    return due.length;
  });
}

async function removeObjects({ db, bucket }: Parts): Promise<number> {
  // No piece can refer to an expired object any more, so it can be deleted before its row.
  const due = await db.all<{ id: number }>(
    `SELECT id FROM object WHERE until < now() ORDER BY until LIMIT ${batch}`,
  );
  for (const { id } of due) {
    await bucket.delete(objectName(id));
    reached("deleted");
  }
  await db.all(
    `DELETE FROM object WHERE until < now() AND id IN
       (SELECT value::bigint FROM jsonb_array_elements_text($1::text::jsonb))`,
    JSON.stringify(due.map(({ id }) => id)),
  );
  return due.length;
}
