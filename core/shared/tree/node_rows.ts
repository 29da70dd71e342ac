/** The rows of files and folders. */
import type { StoredEntry } from "../../storage/entry.ts";
import type { Place } from "../../storage/place.ts";
import { decodeName, encodeName, encodePath, encodePlace } from "../database/name.ts";
import type { Statements } from "../database/postgres.ts";

/** A file or folder. */
export interface NodeRow {
  readonly id: number;
  readonly parent: number;
  /** In hex: see name.ts. */
  readonly name: string;
  readonly folder: boolean;
  readonly owner: number | null;
  readonly ownerName: string | null;
  readonly size: number;
  readonly sha256: string | null;
  readonly content: number | null;
  readonly modified: number;
}

/** The columns of a {@link NodeRow}, in SQL. */
export const nodeColumns =
  `node.id, node.parent, encode(node.name, 'hex') AS name, node.folder, node.owner, node.size,
   encode(node.sha256, 'hex') AS sha256, node.content, node.modified,
   (SELECT account.name FROM account WHERE account.id = node.owner) AS "ownerName"`;

/**
 * Returns the SQL of the table `node`, reduced to the next rows in the order of folders and names. A page of a
 * folder is selected from it by the folder's id. PostgreSQL would sort all later entries of the folder for each
 * page where it takes the folder for smaller than a page, as it does until it has analyzed the table.
 *
 * @param parent the SQL of the folder's id
 * @param name the SQL of the last name before the page
 * @param limit the number of rows
 */
export function nodesFrom(parent: string, name: string, limit: number): string {
  return `(SELECT * FROM node WHERE (parent, name) > (${parent}, ${name})
    ORDER BY parent, name LIMIT ${limit}) AS node`;
}

/** Returns the row at a place; undefined when the place is free. */
export async function nodeAt(db: Statements, place: Place): Promise<NodeRow | undefined> {
  const { dir, name } = encodePlace(place);
  const [row] = await db.all<NodeRow>(
    `SELECT ${nodeColumns} FROM node WHERE parent = folder_at($1) AND name = decode($2, 'hex')`,
    dir,
    name,
  );
  return row;
}

/** Returns the rows of some names in a folder. */
export async function nodesNamed(
  db: Statements,
  dir: string,
  names: readonly string[],
): Promise<NodeRow[]> {
  return await db.all<NodeRow>(
    `SELECT ${nodeColumns} FROM node WHERE parent = folder_at($1) AND name IN
       (SELECT decode(value, 'hex') FROM jsonb_array_elements_text($2::text::jsonb))`,
    encodePath(dir),
    JSON.stringify(names.map(encodeName)),
  );
}

/** Returns the id of a folder; undefined for none. */
export async function folderId(db: Statements, dir: string): Promise<number | undefined> {
  const [{ id }] = await db.all<{ id: number | null }>(
    "SELECT folder_at($1) AS id",
    encodePath(dir),
  );
  return id ?? undefined;
}

/** The rows of a folder and of all below it, in SQL: a table `below (id)`. Parameter 1: the folder's id. */
export const below = `WITH RECURSIVE below (id) AS (
    SELECT $1::bigint UNION ALL SELECT node.id FROM node JOIN below ON node.parent = below.id
  )`;

export function entryOf(row: NodeRow): StoredEntry {
  const { folder, size, modified, owner, ownerName, sha256 } = row;
  const type = folder ? "dir" : "file";
  return {
    type,
    size,
    modified,
    owner: folder ? null : owner,
    ownerName: folder ? null : ownerName,
    sha256,
    undigested: null,
  };
}

export function nameOf({ name }: Pick<NodeRow, "name">): string {
  return decodeName(name);
}
