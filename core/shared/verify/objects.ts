/**
 * Compares the objects of the bucket with their rows.
 *
 * An object has its row from before its first byte until it is deleted, and its number is never used again.
 * So nothing refers to an object that still exists after its row was searched and not found. Two kinds of
 * such objects are never removed: those with other names, and those whose numbers this database has not
 * given yet. They belong to another program, or are newer than the backup from which the database was
 * restored.
 */
import { BargeError } from "../../error.ts";
import { objectName, releaseObjects } from "../bucket/objects.ts";
import type { StoredObject } from "../bucket/listing.ts";
import type { VerifyRun } from "./run.ts";

const pageObjects = 1000;
const defaultOrphanAgeMs = 24 * 3600_000;

export async function verifyObjects(run: VerifyRun): Promise<void> {
  await verifyRows(run);
  await verifyBucket(run);
}

/**
 * Finds rows of objects that no piece refers to, but whose `until` is null, so that the collector would never
 * delete them. Sets their `until`. A piece and the `until` of its object change in one transaction, and one
 * statement reads both.
 */
async function verifyRows(run: VerifyRun): Promise<void> {
  const { parts, options: { repair } } = run;
  const rows = run.rows<{ readonly leaked: boolean }>(
    "object",
    pageObjects,
    `page.until IS NULL AND NOT EXISTS (SELECT 1 FROM piece WHERE piece.object = page.id) AS leaked`,
  );
  for await (const { id, leaked } of rows) {
    if (!leaked) continue;
    if (repair) await parts.db.transaction((tx) => releaseObjects(tx, [id]));
    const what = "an object that no piece refers to, and that is not marked for deletion";
    run.report(objectName(id), { kind: "leftover", what, repaired: repair });
  }
}

/** Finds objects that have no row. */
async function verifyBucket(run: VerifyRun): Promise<void> {
  const { parts: { bucket }, options } = run;
  const { repair, orphanAgeMs = defaultOrphanAgeMs } = options;
  for (let after = "", more = true; more;) {
    options.signal?.throwIfAborted();
    const page = await bucket.list(after);
    for (const { name, modified, own } of await withoutRow(run, page.objects)) {
      if (!own) {
        const what = "an object that is not of this storage";
        run.report(name, { kind: "unknown", what });
        continue;
      }
      if (await bucket.size(name) === undefined) continue; // the collector has deleted it
      // If the store has sent no time, `now` is NaN, and no object is removed.
      const repaired = repair && page.now - modified >= orphanAgeMs;
      if (repaired) await bucket.delete(name);
      const what = "an object that nothing refers to" +
        (repair && !repaired ? ", too young to be removed" : "");
      run.report(name, { kind: "leftover", what, repaired });
    }
    const last = page.objects.at(-1)?.name ?? "";
    if (page.more && last === after) {
      throw new BargeError("fatal", "the object store lists the same objects again and again");
    }
    more = page.more;
    after = last;
  }
}

/** Returns the objects without a row, each with whether this storage has made it. */
async function withoutRow(
  { parts: { db } }: VerifyRun,
  objects: readonly StoredObject[],
): Promise<(StoredObject & { readonly own: boolean })[]> {
  const ids = new Map(objects.map(({ name }) => [name, idOf(name)]));
  const known = [...ids.values()].filter((id) => id !== undefined);
  const [{ last, rows }] = await db.all<{ last: number; rows: number[] }>(
    `SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('object', 'id')::regclass), 0)
         AS last,
       (SELECT coalesce(jsonb_agg(object.id), '[]') FROM object WHERE object.id IN
         (SELECT value::bigint FROM jsonb_array_elements_text($1::text::jsonb))) AS rows`,
    JSON.stringify(known),
  );
  const recorded = new Set(rows);
  return objects.flatMap((object) => {
    const id = ids.get(object.name);
    if (id !== undefined && recorded.has(id)) return [];
    return [{ ...object, own: id !== undefined && id <= last }];
  });
}

/** Returns the number of an object by its name; undefined for a name that barge does not give. */
function idOf(name: string): number | undefined {
  const hex = /^[0-9a-f]{3}\/([0-9a-f]{12,13})$/.exec(name)?.[1];
  const id = hex === undefined ? NaN : parseInt(hex, 16);
  return Number.isSafeInteger(id) && objectName(id) === name ? id : undefined;
}
