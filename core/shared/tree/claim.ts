/**
 * The part of an upload's reservation that the file at its place covers. An upload that will replace a file
 * of its own account reserves only the bytes beyond the file's size, and shares the file's entry.
 */
import type { Statements } from "../database/postgres.ts";

export interface Claim {
  /** Bytes that the upload need not reserve: the size of the file that it will replace. */
  readonly credit: number;
  /** The entries that the upload counts for: 0 if it shares the file's entry, else 1. */
  readonly entry: number;
}

/**
 * Returns the claim of an upload at a place. Only one of the uploads to a place may claim the file there.
 *
 * @param target.name in hex
 * @param target.upload the id of the upload, which may have claimed the file already
 */
export async function claim(
  db: Statements,
  { account, parent, name, upload = 0 }: {
    readonly account: number;
    readonly parent: number | null;
    readonly name: string;
    readonly upload?: number;
  },
): Promise<Claim> {
  const [row] = await db.all<{ size: number }>(
    `SELECT size FROM node WHERE parent = $1::bigint AND name = decode($2, 'hex')
       AND owner = $3::bigint AND NOT folder
       AND NOT EXISTS (SELECT 1 FROM upload WHERE upload.parent = node.parent
         AND upload.name = node.name AND entry = 0 AND upload.id <> $4::bigint)`,
    parent,
    name,
    account,
    upload,
  );
  return { credit: row?.size ?? 0, entry: row ? 0 : 1 };
}
