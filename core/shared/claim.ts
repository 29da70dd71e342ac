/** The bytes and the entry that an upload has because it replaces a file of its own account. */
import type { Statements } from "./postgres.ts";

export interface Claim {
  /** Bytes that it will give back. */
  readonly credit: number;
  /** 0: it is one entry with the file. */
  readonly entry: number;
}

/**
 * Returns the claim that an upload would have at a place: of all uploads to it, one may count on the file.
 *
 * @param target.name in hex
 * @param target.upload the id of the upload, which may count on it already
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
