/** Writes the rows of files: the step in which uploads become files. */
import { BargeError } from "../../error.ts";
import { type Place, relative } from "../../storage/place.ts";
import type { Change } from "./change.ts";
import { encodeName } from "../database/name.ts";
import { touchFolder } from "./tree.ts";
import { runGuard } from "./view.ts";

/** A file that is to be written. */
export interface NewFile {
  readonly place: Place;
  /** The id of the account that is charged; null for none. */
  readonly owner: number | null;
  readonly content: number;
  readonly size: number;
  /** The digest of the content, in hex. */
  readonly sha256: string;
  /** Milliseconds since 1970; null: now. */
  readonly modified: number | null;
  /** Milliseconds since 1970. Default: now. */
  readonly created?: number | null;
}

/**
 * Writes the rows of files, which replace existing files at their places. No two may have the same place.
 *
 * @returns their times, in their order
 */
export async function writeFiles(
  { tx, view }: Pick<Change, "tx" | "view">,
  files: readonly NewFile[],
): Promise<number[]> {
  const rows: object[] = [];
  for (const { place, ...file } of files) {
    const existing = await runGuard(view, () => view.node(place));
    if (existing?.folder) {
      throw new BargeError("exists", "a folder has that name", { path: relative(place) });
    }
    const parent = await runGuard(view, () => view.folder(place.dir));
    if (parent === undefined) {
      throw new BargeError("no-directory", "the folder does not exist", { path: place.dir });
    }
    const name = encodeName(place.name);
    rows.push({ ...file, parent, name });
  }
  const written = await tx.all<{ parent: number; name: string; modified: number }>(
    `INSERT INTO node (parent, name, folder, owner, content, size, sha256, modified,
       created)
     SELECT parent, decode(name, 'hex'), false, owner, content, size, decode(sha256, 'hex'),
       coalesce(modified, now_ms()), coalesce(to_timestamp(created / 1000.0), now())
     FROM jsonb_to_recordset($1::text::jsonb) AS f (parent bigint, name text, owner bigint,
       content bigint, size bigint, sha256 text, modified bigint,
       created bigint)
     ON CONFLICT (parent, name) DO UPDATE SET owner = excluded.owner, content = excluded.content,
       size = excluded.size, sha256 = excluded.sha256, modified = excluded.modified, created = excluded.created
     RETURNING parent, encode(name, 'hex') AS name, modified`,
    JSON.stringify(rows),
  );
  for (const dir of new Set(files.map(({ place }) => place.dir))) {
    await touchFolder(tx, { dir, name: "" });
  }
  const times = new Map(
    written.map(({ parent, name, modified }) => [`${parent}/${name}`, modified]),
  );
  return (rows as { parent: number; name: string }[]).map(({ parent, name }) =>
    times.get(`${parent}/${name}`)!
  );
}
