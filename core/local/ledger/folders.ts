/**
 * The table of folders. Rows of files refer to it, and a folder is an entry of the account that made it.
 * Roots, homes and folders made by hand have no owner.
 */
import { folderOf, type Place, relative } from "../../storage/place.ts";
import { Table } from "../database/table.ts";
import { refusalOf } from "./account_sums.ts";
import { inPages, pageRows } from "../../storage/pages.ts";

/** The data directory itself. */
const root = 0;

/** A folder's row. */
export interface FolderRow extends Place {
  /** The id of the account whose entry it is; null for none. */
  readonly owner: number | null;
}

export type TreeOrder = "deepest last" | "deepest first";

/** SQL that defines `tree`: a folder and all below it. Parameters 1 and 2: its id and path. */
export const tree = `WITH RECURSIVE tree (id, dir) AS (
  SELECT ?1, ?2 UNION ALL
  SELECT folder.id, tree.dir || '/' || folder.name FROM tree JOIN folder ON folder.parent = tree.id)`;

/** The levels of a path that one statement resolves: more levels cost less than more statements. */
const levels = 12;

/**
 * Returns the statements for 0, 1, 2, ... levels, from a folder's id (?1) and names to a column of a row in the
 * last folder.
 *
 * @param condition on the row; `FOLDER` stands for the id of the last folder, and its own parameters are `?`
 */
export function descents(column: string, table: string, condition: string): readonly string[] {
  return Array.from({ length: levels + 1 }, (_, count) => {
    const idOf = (level: number) => level === 0 ? "?1" : `f${level}.id`;
    const steps = Array.from({ length: count }, (_, i) => i + 1);
    const tables = [...steps.map((level) => `folder AS f${level}`), table];
    const conditions = steps.map((level) =>
      `f${level}.parent = ${idOf(level - 1)} AND f${level}.name = ?${level + 1}`
    );
    const all = [...conditions, condition.replace("FOLDER", idOf(count))];
    return `SELECT ${column} FROM ${tables.join(" CROSS JOIN ")} WHERE ${all.join(" AND ")}`;
  });
}

/** Statements for the id of a folder in the last folder. */
const children = descents("folder.id", "folder", "folder.parent = FOLDER AND folder.name = ?");

export class Folders extends Table {
  /** Returns the id of a folder; undefined if it has no row. */
  id(dir: string): number | undefined {
    const start = this.start(dir);
    if (start === undefined) return undefined;
    const [id, ...names] = start;
    return names.length === 0 ? id : this.db.value<number>(children[names.length - 1], ...start);
  }

  /**
   * Returns where a statement of {@link descents} begins on its way to a folder: the id of a folder, and the
   * names of those below it, at most {@link levels}; undefined if a folder above has no row.
   */
  start(dir: string): [id: number, ...names: string[]] | undefined {
    const names = dir === "" ? [] : dir.split("/");
    let id = root;
    let at = 0;
    for (; names.length - at > levels; at += levels) {
      const some = names.slice(at, at + levels);
      const next = this.db.value<number>(children[levels - 1], id, ...some);
      if (next === undefined) return undefined;
      id = next;
    }
    return [id, ...names.slice(at)];
  }

  /** Returns the id of a folder. Adds missing rows, without an owner. Inside a transaction. */
  need(dir: string): number {
    const known = this.id(dir);
    if (known !== undefined) return known;
    let id = root;
    for (const name of dir.split("/")) {
      id = this.db.value<number>(children[0], id, name) ??
        this.db.insert("folder", { parent: id, name }).id;
    }
    return id;
  }

  /** Returns the path of a folder. @param known a cache of paths, by id */
  path(id: number, known: Map<number, string>): string {
    if (id === root) return "";
    const found = known.get(id);
    if (found !== undefined) return found;
    const { parent, name } = this.db.get<{ parent: number; name: string }>(
      "SELECT parent, name FROM folder WHERE id = ?",
      id,
    )!;
    const above = this.path(parent, known);
    const path = above === "" ? name : `${above}/${name}`;
    known.set(id, path);
    return path;
  }

  find({ dir, name }: Place): FolderRow | undefined {
    const parent = this.id(dir);
    if (parent === undefined) return undefined;
    const sql = "SELECT ?3 AS dir, name, owner FROM folder WHERE parent = ?1 AND name = ?2";
    return this.db.get<FolderRow>(sql, parent, name, dir);
  }

  /**
   * Enters a folder that is about to be made, as an entry of an account. Rows of a former folder at the
   * place are deleted. One statement checks the limit and counts.
   *
   * @throws {BargeError} `over-quota`
   */
  make(place: Place, account: number): void {
    this.forget(place);
    const sql = `INSERT INTO folder (parent, name, owner)
       SELECT ?1, ?2, id FROM account WHERE id = ?3 AND (entry_limit IS NULL OR entries < entry_limit)`;
    const { changes } = this.db.run(sql, this.need(place.dir), place.name, account);
    if (changes === 0) throw refusalOf(this.db, account, { entries: 1 });
  }

  /** Enters an existing folder, or changes its owner. Checks no limit. */
  enter({ dir, name, owner }: FolderRow): void {
    this.db.upsert("folder", { parent: this.need(dir), name }, { owner });
  }

  /** Yields the paths of a folder and of all below it, and holds one page of each level. */
  *tree(dir: string, order: TreeOrder = "deepest last"): Generator<string, void, void> {
    const id = this.id(dir);
    if (id !== undefined) yield* this.#tree(id, dir, order);
  }

  *#tree(id: number, dir: string, order: TreeOrder): Generator<string, void, void> {
    if (order === "deepest last") yield dir;
    const sql =
      `SELECT id, name FROM folder WHERE parent = ? AND name > ? ORDER BY name LIMIT ${pageRows}`;
    const children = inPages<{ id: number; name: string }>((last) =>
      this.db.all(sql, id, last?.name ?? "")
    );
    for (const child of children) yield* this.#tree(child.id, `${dir}/${child.name}`, order);
    if (order === "deepest first") yield dir;
  }

  /** Returns the folder at a place and all below it, each before its subfolders. */
  below(place: Place): FolderRow[] {
    const path = relative(place);
    const id = this.id(path);
    if (id === undefined) return [];
    const sql = `${tree} SELECT tree.dir AS dir, owner FROM tree CROSS JOIN folder USING (id)`;
    return this.db.all<Pick<FolderRow, "dir" | "owner">>(sql, id, path)
      .map(({ dir, owner }) => ({ ...folderOf({ dir, name: "" }), owner }));
  }

  /** Returns whether the folder at a place, or one below it, is an entry of another account. */
  foreign(place: Place, account: number): boolean {
    const path = relative(place);
    const id = this.id(path);
    if (id === undefined) return false;
    const sql = `${tree} SELECT 1 FROM tree CROSS JOIN folder USING (id) WHERE owner <> ?3 LIMIT 1`;
    return this.db.get(sql, id, path, account) !== undefined;
  }

  /** Deletes the rows of a folder, of all below it, and of their files. @returns the number of files */
  forget(place: Place): number {
    const path = relative(place);
    const id = this.id(path);
    if (id === undefined) return 0;
    const rows = `${tree} DELETE FROM file WHERE folder IN (SELECT id FROM tree)`;
    const { changes } = this.db.run(rows, id, path);
    this.db.run(`${tree} DELETE FROM folder WHERE id IN (SELECT id FROM tree)`, id, path);
    return changes;
  }

  /** Moves a folder's row. The new place must have none. */
  rename(from: Place, to: Place): void {
    const parent = this.id(from.dir);
    if (parent === undefined) return;
    const sql = "UPDATE folder SET parent = ?, name = ? WHERE parent = ? AND name = ?";
    this.db.run(sql, this.need(to.dir), to.name, parent, from.name);
  }
}
