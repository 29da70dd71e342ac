/** Partial uploads of a data directory, with their bytes: part of the last pass. */
import { borrow, giveBack } from "../disk/buffer_pool.ts";
import type { UploadRow } from "../local/ledger/upload_rows.ts";
import { isUnlinked } from "../local/partial_upload.ts";
import { stagedPlace, stagedSize } from "../local/vault/staging.ts";
import type { SharedStorage } from "../shared/storage.ts";
import { relative } from "../storage/place.ts";
import type { OpenUpload } from "../storage/uploads.ts";
import type { SeenSums } from "./pass.ts";
import type { Report } from "./report.ts";
import type { Source } from "./source.ts";

/** Sums of uploads by the ids of accounts at the target. */
export type SeenReserved = Map<number, Omit<SeenSums, "used"> & { reserved: number }>;

/**
 * Replaces the uploads at the target by those of the source.
 *
 * @param owners the ids of accounts at the target, by those at the source
 */
export async function sendUploads(
  source: Source,
  shared: SharedStorage,
  owners: ReadonlyMap<number, number>,
  report: Report,
): Promise<SeenReserved> {
  const seen: SeenReserved = new Map();
  const { reservations, vault } = source.parts;
  await shared.parts.db.all("DELETE FROM upload");
  for (const row of reservations.eachUpload()) {
    const account = owners.get(row.account);
    const staged = stagedSize(vault, row.id);
    if (account === undefined || staged === undefined || isUnlinked(row)) continue;
    const size = Math.min(staged, row.whole ?? Infinity);
    try {
      await sendUpload(source, shared, { ...row, account }, size, report);
    } catch (error) {
      report.failed(relative(row), error);
      continue;
    }
    report.uploads++;
    const { reserved, entries } = seen.get(account) ?? { reserved: 0, entries: 0 };
    const more = Math.max(0, Math.min(row.want, size) - row.credit);
    seen.set(account, { reserved: reserved + more, entries: entries + row.entry });
  }
  return seen;
}

async function sendUpload(
  source: Source,
  shared: SharedStorage,
  { id, account, dir, name, size, modified, touched }: UploadRow,
  bytes: number,
  report: Report,
): Promise<void> {
  // The size is declared below: here, it would reserve bytes for the whole file.
  const upload = { account, dir, name, size: null, modified, reserve: bytes };
  const open = await shared.uploads.begin(upload, { keep: 0 });
  try {
    await copyStaged(source, id, bytes, open, report);
    await open.detach(true);
  } catch (error) {
    await open.drop();
    throw error;
  }
  await shared.parts.db.all(
    `UPDATE upload SET size = $2::bigint, touched = to_timestamp($3::bigint / 1000.0)
     WHERE id = $1`,
    open.id,
    size,
    touched,
  );
}

async function copyStaged(
  { parts: { vault } }: Source,
  id: number,
  bytes: number,
  { body }: OpenUpload,
  report: Report,
): Promise<void> {
  using file = vault.open(stagedPlace(id)).file;
  const buffer = borrow(bytes);
  try {
    for (let left = bytes; left > 0;) {
      const read = await file.read(buffer.subarray(0, Math.min(left, buffer.length)));
      if (!read) break;
      await body.write(buffer.subarray(0, read));
      report.moved(read);
      left -= read;
    }
  } finally {
    giveBack(buffer);
  }
}
