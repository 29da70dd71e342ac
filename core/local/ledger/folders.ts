/**
 * Folders as rows: what a file's row refers to, and what counts as an entry of the account that made
 * it. Roots, homes and what was made by hand are nobody's.
 *
 * Invariant: an account never gets an entry beyond its limit here: {@link Folders.make} looks and
 * counts in one statement, under the write lock.
 */
import { folderOf, type Place, relative } from "../../storage/place.ts";
import type { Database } from "../database/database.ts";
import { entriesFull } from "./over_quota.ts";
import { inPages, pageRows } from "../../storage/pages.ts";

/** The data directory itself. */
const root = 0;

/** A folder's row. */
export interface FolderRow extends Place {
  /** Whose entry it is, by id; null: nobody's. */
  readonly owner: number | null;
}

/** Whether a folder comes before all below it, or behind them. */
export type TreeOrder = "deepest last" | "deepest first";

/** The rows of a folder and of all below it, as `tree`. Parameters 1 and 2: its id and its path. */
export const tree = `WITH RECURSIVE tree (id, dir) AS (
  SELECT ?1, ?2 UNION ALL
  SELECT folder.id, tree.dir || '/' || folder.name FROM tree JOIN folder ON folder.parent = tree.id)`;

/** The levels of a path that one statement goes down: a statement costs more than a level. */
const levels = 12;

/** For each number of levels from 1 on: from a folder's id (?1) and names to an id. */
const descents = Array.from({ length: levels }, (_, last) => {
  const names = Array.from({ length: last + 1 }, (_, i) => `f${i}`);
  const conditions = names.map((name, i) =>
    `${name}.parent = ${i === 0 ? "?1" : `f${i - 1}.id`} AND ${name}.name = ?${i + 2}`
  );
  const from = names.map((name) => `folder AS ${name}`).join(" CROSS JOIN ");
  return `SELECT f${last}.id AS id FROM ${from} WHERE ${conditions.join(" AND ")}`;
});

export class Folders {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Returns the id of a folder; undefined where it has no row. */
  id(dir: string): number | undefined {
    if (dir === "") return root;
    const names = dir.split("/");
    let id = root;
    for (let at = 0; at < names.length; at += levels) {
      const some = names.slice(at, at + levels);
      const found = this.#db.get<{ id: number }>(descents[some.length - 1], id, ...some);
      if (!found) return undefined;
      id = found.id;
    }
    return id;
  }

  /** As {@link id}; what is missing is entered as nobody's. Inside a transaction. */
  need(dir: string): number {
    const known = this.id(dir);
    if (known !== undefined) return known;
    let id = root;
    for (const name of dir.split("/")) {
      id = this.#child(id, name) ??
        this.#db.run("INSERT INTO folder (parent, name) VALUES (?, ?)", id, name).id;
    }
    return id;
  }

  /** Returns the path of a folder's row. @param known paths that were found before, by id */
  path(id: number, known: Map<number, string> = new Map()): string {
    if (id === root) return "";
    const found = known.get(id);
    if (found !== undefined) return found;
    const { parent, name } = this.#db.get<{ parent: number; name: string }>(
      "SELECT parent, name FROM folder WHERE id = ?",
      id,
    )!;
    const above = this.path(parent, known);
    const path = above === "" ? name : `${above}/${name}`;
    known.set(id, path);
    return path;
  }

  /** The folder at a place. */
  find({ dir, name }: Place): FolderRow | undefined {
    const parent = this.id(dir);
    if (parent === undefined) return undefined;
    return this.#db.get<FolderRow>(
      "SELECT ?3 AS dir, name, owner FROM folder WHERE parent = ?1 AND name = ?2",
      ...[parent, name, dir],
    );
  }

  /**
   * Enters a folder that is about to be made, as an entry of an account. What the ledger had there is
   * of a folder that is gone: its rows go first.
   *
   * @throws {BargeError} `over-quota`
   */
  make(place: Place, account: number): void {
    this.forget(place);
    const { changes } = this.#db.run(
      `INSERT INTO folder (parent, name, owner)
       SELECT ?1, ?2, id FROM account WHERE id = ?3 AND (entry_limit IS NULL OR entries < entry_limit)`,
      ...[this.need(place.dir), place.name, account],
    );
    if (changes === 0) throw entriesFull(this.#db, account);
  }

  /** Enters a folder that exists, or gives its row another owner. Does not look at limits. */
  enter({ dir, name, owner }: FolderRow): void {
    this.#db.run(
      `INSERT INTO folder (parent, name, owner) VALUES (?, ?, ?)
       ON CONFLICT (parent, name) DO UPDATE SET owner = excluded.owner`,
      ...[this.need(dir), name, owner],
    );
  }

  /** Yields the paths of a folder and of all below it that have rows, and holds one page of each level. */
  *tree(dir: string, order: TreeOrder = "deepest last"): Generator<string, void, void> {
    const id = this.id(dir);
    if (id !== undefined) yield* this.#tree(id, dir, order);
  }

  *#tree(id: number, dir: string, order: TreeOrder): Generator<string, void, void> {
    if (order === "deepest last") yield dir;
    const children = inPages<{ id: number; name: string }>((last) =>
      this.#db.all(
        `SELECT id, name FROM folder WHERE parent = ? AND name > ? ORDER BY name LIMIT ${pageRows}`,
        ...[id, last?.name ?? ""],
      )
    );
    for (const child of children) yield* this.#tree(child.id, `${dir}/${child.name}`, order);
    if (order === "deepest first") yield dir;
  }

  /** The folder at a place and all below it, each before what is in it. */
  below(place: Place): FolderRow[] {
    const path = relative(place);
    const id = this.id(path);
    if (id === undefined) return [];
    return this.#db.all<{ dir: string; owner: number | null }>(
      `${tree} SELECT tree.dir AS dir, owner FROM tree CROSS JOIN folder USING (id)`,
      ...[id, path],
    ).map(({ dir, owner }) => ({ ...folderOfPath(dir), owner }));
  }

  /** Is the folder at a place, or one below it, an entry of another account? */
  foreign(place: Place, account: number): boolean {
    const path = relative(place);
    const id = this.id(path);
    if (id === undefined) return false;
    const sql = `${tree} SELECT 1 FROM tree CROSS JOIN folder USING (id) WHERE owner <> ?3 LIMIT 1`;
    return this.#db.get(sql, id, path, account) !== undefined;
  }

  /** Forgets the folder at a place, all below it, and their files. @returns how many files */
  forget(place: Place): number {
    const path = relative(place);
    const id = this.id(path);
    if (id === undefined) return 0;
    const rows = `${tree} DELETE FROM file WHERE folder IN (SELECT id FROM tree)`;
    const { changes } = this.#db.run(rows, id, path);
    this.#db.run(`${tree} DELETE FROM folder WHERE id IN (SELECT id FROM tree)`, id, path);
    return changes;
  }

  /** A folder has a new name: one row. Nothing may be at the new one. */
  rename(from: Place, to: Place): void {
    const above = this.id(from.dir);
    if (above === undefined) return;
    this.#db.run(
      "UPDATE folder SET parent = ?, name = ? WHERE parent = ? AND name = ?",
      ...[this.need(to.dir), to.name, above, from.name],
    );
  }

  #child(parent: number, name: string): number | undefined {
    return this.#db.get<{ id: number }>(
      "SELECT id FROM folder WHERE parent = ? AND name = ?",
      ...[parent, name],
    )?.id;
  }
}

/** A folder's path as a place. */
function folderOfPath(path: string): Place {
  return folderOf({ dir: path, name: "" });
}
