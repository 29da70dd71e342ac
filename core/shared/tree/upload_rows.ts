/** The rows of uploads. */
import type { Place } from "../../storage/place.ts";
import type { PartialUpload } from "../../storage/uploads.ts";
import { decodeName, encodePlace } from "../database/name.ts";
import type { Statements } from "../database/postgres.ts";

/** A holder counts as gone when its last beat, which renews its lease (open_upload.ts), is this many seconds ago. */
export const staleSeconds = 10;
/** The time that a partial upload is kept after the last beat of its holder, in days. */
export const keepPartialDays = 7;

export interface UploadRow {
  readonly id: number;
  readonly account: number;
  /** The id of its folder; null where it lost its path. */
  readonly parent: number | null;
  /** In hex: see name.ts. */
  readonly name: string;
  readonly size: number | null;
  readonly want: number;
  readonly credit: number;
  readonly entry: number;
  readonly content: number;
  readonly whole: number | null;
  readonly modified: number | null;
  readonly holder: string | null;
  /** Whether a connection writes it at this moment. */
  readonly busy: boolean;
  /** The number of bytes from the start to the end of the last piece before the first gap. */
  readonly staged: number;
  /** The time when it is dropped, in ms since 1970. */
  readonly expires: number;
}

/** SQL that is true of an upload which a connection writes at this moment. */
const busy = `(holder IS NOT NULL AND touched > now() - interval '${staleSeconds} seconds')`;

/** The number of bytes from the start to the end of the last piece before the first gap, in SQL. */
export const staged = `coalesce((SELECT max(at + size) FROM (
    SELECT at, size, sum(size) OVER (ORDER BY at) - size AS before FROM piece
    WHERE piece.content = upload.content) AS p WHERE at = before), 0)::bigint`;

/** The columns of an {@link UploadRow}, in SQL. */
const columns =
  `upload.id, account, parent, encode(name, 'hex') AS name, upload.size, want, credit, entry, content,
   whole, modified, holder, ${busy} AS busy, ${staged} AS staged,
   (extract(epoch FROM touched + interval '${keepPartialDays} days') * 1000)::bigint AS expires`;

/** The uploads of an account to a place, in SQL. Parameters: the account, the folder's path, the name. */
const atPlace = "account = $1::bigint AND parent = folder_at($2) AND name = decode($3, 'hex')";

/** Returns the newest upload of an account to a place. */
export async function uploadAt(
  db: Statements,
  account: number,
  place: Place,
): Promise<UploadRow | undefined> {
  const { dir, name } = encodePlace(place);
  const [row] = await db.all<UploadRow>(
    `SELECT ${columns} FROM upload WHERE ${atPlace} ORDER BY id DESC LIMIT 1`,
    account,
    dir,
    name,
  );
  return row;
}

/** Returns the uploads of an account, with the paths of their folders, from an id on; the oldest first. */
export async function uploadsOf(
  db: Statements,
  account: number,
  after: number,
  limit: number,
): Promise<(UploadRow & { readonly dir: string | null })[]> {
  return await db.all(
    `SELECT ${columns}, path_of(parent) AS dir FROM upload
     WHERE account = $1::bigint AND id > $2::bigint ORDER BY id LIMIT $3::integer`,
    account,
    after,
    limit,
  );
}

/** Returns an upload; undefined when it has ended. */
export async function uploadById(db: Statements, id: number): Promise<UploadRow | undefined> {
  const [row] = await db.all<UploadRow>(`SELECT ${columns} FROM upload WHERE id = $1`, id);
  return row;
}

/** Drops an account's uploads to a place. @param idle only those that nobody writes @returns their number */
export async function dropAt(
  db: Statements,
  account: number,
  place: Place,
  { idle = false } = {},
): Promise<number> {
  const { dir, name } = encodePlace(place);
  const rows = await db.all(
    `DELETE FROM upload WHERE ${atPlace} AND NOT ($4::boolean AND ${busy}) RETURNING id`,
    account,
    dir,
    name,
    idle,
  );
  return rows.length;
}

/** Drops the uploads to the paths of new files, except those that a connection writes at this moment. */
export async function dropIdleUploads(
  db: Statements,
  paths: readonly (Pick<UploadRow, "account" | "name"> & { readonly parent: number })[],
): Promise<void> {
  await db.all(
    `DELETE FROM upload USING jsonb_to_recordset($1::text::jsonb)
       AS path (account bigint, parent bigint, name text)
     WHERE upload.account = path.account AND upload.parent = path.parent
       AND upload.name = decode(path.name, 'hex') AND NOT ${busy}`,
    JSON.stringify(paths),
  );
}

/** Returns the bytes that can be resumed. */
export function resumableBytes({ staged, whole }: UploadRow): number {
  return Math.min(staged, whole ?? Infinity);
}

/** Returns an upload as doors list it. */
export function partialOf(row: UploadRow, { dir }: Pick<Place, "dir">): PartialUpload {
  const { id, size, modified, expires } = row;
  const name = decodeName(row.name);
  return { id, dir, name, offset: resumableBytes(row), size, modified, busy: row.busy, expires };
}
