/** Partial uploads of shared storage, with their bytes, in a data directory. */
import { BargeError, typed } from "../error.ts";
import type { Parts } from "../local/parts.ts";
import { keepPartialMs } from "../local/ledger/upload_rows.ts";
import { discard, makeFile, stagedNames, stagedPath } from "../local/vault/staging.ts";
import { decodeName, decodePath } from "../shared/database/name.ts";
import type { SharedStorage } from "../shared/storage.ts";
import { resumableBytes, type UploadRow, uploadsOf } from "../shared/tree/upload_rows.ts";
import { type Place, relative } from "../storage/place.ts";
import { pagesById } from "./pages.ts";
import type { Report } from "./report.ts";

/** The rows that are read at once. */
const pageUploads = 256;
/** The name of an upload's holder until all of its bytes are copied. */
const holder = "migrate";

/**
 * Replaces the uploads in the directory, and all that is staged, by those of the source.
 *
 * @param owners the ids of accounts in the directory, by those at the source
 */
export async function receiveUploads(
  shared: SharedStorage,
  parts: Parts,
  owners: ReadonlyMap<number, number>,
  report: Report,
): Promise<void> {
  const { db, vault } = parts;
  db.run("DELETE FROM upload");
  for (const name of [...stagedNames(vault)]) discard(vault, name);
  for (const [from, account] of owners) {
    const read = (after: number) => uploadsOf(shared.parts.db, from, after, pageUploads);
    for await (const rows of pagesById(read)) {
      for (const row of rows) {
        if (row.dir === null || row.parent === null) continue;
        const place = { dir: decodePath(row.dir), name: decodeName(row.name) };
        try {
          if (await receiveUpload(shared, parts, row, place, account, report)) report.uploads++;
        } catch (error) {
          report.failed(relative(place), error);
        }
      }
    }
  }
}

/** Copies an upload. @returns false when the upload has ended meanwhile, or has no bytes: a server would drop it */
async function receiveUpload(
  shared: SharedStorage,
  { db, reservations, vault }: Parts,
  row: UploadRow,
  place: Place,
  account: number,
  report: Report,
): Promise<boolean> {
  const { size, modified } = row;
  const bytes = resumableBytes(row);
  if (bytes === 0) return false;
  const content = await shared.uploads.openStaged(row.id, modified ?? 0).catch((error) => {
    if (error instanceof BargeError && error.kind === "not-found") return undefined;
    throw error;
  });
  if (!content) return false;
  const upload = { ...place, account, size, modified, holder, reserve: bytes };
  const [{ id }] = reservations.begin([{ upload }]);
  try {
    using file = makeFile(stagedPath(vault, id));
    for await (const piece of content.pieces(bytes)) {
      for (let done = 0; done < piece.length;) done += await file.write(piece.subarray(done));
      report.moved(piece.length);
    }
    await file.sync();
  } catch (error) {
    reservations.drop(id);
    discard(vault, id);
    throw typed(error, { op: "stage" });
  } finally {
    content.close();
  }
  db.transaction(() => {
    reservations.release(id, bytes);
    const sql = "UPDATE upload SET touched = ? WHERE id = ?";
    db.run(sql, row.expires - keepPartialMs, id);
  });
  return true;
}
