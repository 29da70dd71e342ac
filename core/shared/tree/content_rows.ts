/** The rows of content. */
import type { Content } from "../../storage/uploads.ts";
import type { Statements } from "../database/postgres.ts";

/** Content whose bytes may not be there yet: its size and digest are null then. */
type NewContent = {
  readonly [K in keyof Content]:
    | Content[K]
    | (K extends "verified" ? never : null);
};

/** Adds content. @returns the ids, in their order */
export async function addContents(
  tx: Statements,
  contents: readonly NewContent[],
): Promise<number[]> {
  const rows = await tx.all<{ id: number }>(
    `INSERT INTO content (size, sha256, verified)
     SELECT size, decode(sha256, 'hex'), verified FROM jsonb_to_recordset($1::text::jsonb)
       AS c (size bigint, sha256 text, verified boolean)
     RETURNING id`,
    JSON.stringify(contents),
  );
  return rows.map(({ id }) => id);
}

/** Records that all bytes of content are there. */
export async function sealContent(
  tx: Statements,
  id: number,
  { size, sha256, verified }: Content,
): Promise<void> {
  await tx.all(
    `UPDATE content SET size = $2::bigint, sha256 = decode($3, 'hex'), verified = $4::boolean
     WHERE id = $1`,
    id,
    size,
    sha256,
    verified,
  );
}
