/**
 * The ledger: which account is charged for which file, with the digest that its bytes must have.
 *
 * A row belongs to the file on disk of the same name as long as size, time and inode agree; a file
 * without such a row was put there by hand: it is served, but charged to nobody and has no digest,
 * until `barge verify --repair` takes it in.
 */
import { type Place, relative } from "../../storage/place.ts";
import type { Database } from "../database/database.ts";
import { Folders, tree, type TreeOrder } from "./folders.ts";
import { inPages, pageRows } from "../../storage/pages.ts";

/** The row of a committed file. */
export interface FileRow extends Place {
  /** The charged account's id and name; null when it is gone. */
  readonly owner: number | null;
  readonly ownerName: string | null;
  readonly size: number;
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly ino: number;
  readonly verified: number;
}

/** The row that a commit writes. */
export interface NewFile extends Place {
  readonly owner: number | null;
  readonly size: number;
  readonly sha256: string;
  readonly modified: number;
  readonly ino: number;
  readonly verified: boolean;
}

/** Tables whose rows belong to files and folders by their paths. */
type Table = "property" | "lock";

/** All of a file's row but its folder's path. */
const fileColumns = `file.name, file.owner, account.name AS ownerName, file.size, file.sha256,
  file.modified, file.ino, file.verified`;
const filesInTree = `${tree} SELECT tree.dir AS dir, ${fileColumns}
  FROM tree CROSS JOIN file ON file.folder = tree.id LEFT JOIN account ON account.id = file.owner`;

export class Ledger {
  readonly #db: Database;
  readonly #folders: Folders;

  constructor(db: Database) {
    this.#db = db;
    this.#folders = new Folders(db);
  }

  /** Enters a file, in place of what the ledger knew under that name. */
  enter(file: NewFile): void {
    this.enterAll([file]);
  }

  /** The same for several. Folders that have no rows get them, as nobody's. */
  enterAll(files: readonly NewFile[]): void {
    this.#db.joined(() => {
      const ids = new Map<string, number>();
      const idOf = (dir: string): number => {
        let id = ids.get(dir);
        if (id === undefined) ids.set(dir, id = this.#folders.need(dir));
        return id;
      };
      this.#db.runAll(
        `INSERT INTO file (folder, name, owner, size, sha256, modified, ino, verified)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (folder, name) DO UPDATE SET owner = excluded.owner, size = excluded.size,
           sha256 = excluded.sha256, modified = excluded.modified, ino = excluded.ino,
           verified = excluded.verified`,
        files.map((f) => [
          ...[idOf(f.dir), f.name, f.owner, f.size, f.sha256, f.modified, f.ino],
          f.verified ? 1 : 0,
        ]),
      );
    });
  }

  /** The file's time was set on disk, in ms since 1970. */
  setModified({ dir, name }: Place, modified: number): void {
    const folder = this.#folders.id(dir) ?? null;
    this.#db.run(
      "UPDATE file SET modified = ? WHERE folder = ? AND name = ?",
      ...[modified, folder, name],
    );
  }

  file({ dir, name }: Place): FileRow | undefined {
    const folder = this.#folders.id(dir);
    if (folder === undefined) return undefined;
    return this.#db.get<FileRow>(
      `SELECT ?3 AS dir, ${fileColumns} FROM file LEFT JOIN account ON account.id = file.owner
       WHERE folder = ?1 AND file.name = ?2`,
      ...[folder, name, dir],
    );
  }

  /** The digest of a file that is still the one that was committed; undefined for any other. */
  digest(
    { dir, name }: Place,
    found: Pick<FileRow, "size" | "modified" | "ino">,
  ): string | undefined {
    const folder = this.#folders.id(dir);
    if (folder === undefined) return undefined;
    return this.#db.get<{ sha256: string }>(
      "SELECT sha256 FROM file WHERE folder = ? AND name = ? AND size = ? AND modified = ? AND ino = ?",
      ...[folder, name, found.size, found.modified, found.ino],
    )?.sha256;
  }

  /** Returns the rows of some names in one folder, by name. @param names a batch of a listing */
  named(dir: string, names: readonly string[]): Map<string, FileRow> {
    const folder = this.#folders.id(dir);
    if (folder === undefined) return new Map();
    const rows = this.#db.all<FileRow>(
      `SELECT ?3 AS dir, ${fileColumns} FROM json_each(?2) AS wanted
       CROSS JOIN file ON file.folder = ?1 AND file.name = wanted.value
       LEFT JOIN account ON account.id = file.owner`,
      ...[folder, JSON.stringify(names), dir],
    );
    return new Map(rows.map((row) => [row.name, row]));
  }

  /** Yields the files in one folder, by name. */
  *filesIn(dir: string): Generator<FileRow, void, void> {
    const folder = this.#folders.id(dir);
    if (folder === undefined) return;
    yield* inPages((last) =>
      this.#db.all<FileRow>(
        `SELECT ?3 AS dir, ${fileColumns} FROM file LEFT JOIN account ON account.id = file.owner
         WHERE folder = ?1 AND file.name > ?2 ORDER BY file.name LIMIT ${pageRows}`,
        ...[folder, last?.name ?? "", dir],
      )
    );
  }

  /** Yields the file there, and all in and below the folder there. */
  *rowsAt(place: Place): Generator<FileRow, void, void> {
    const file = this.file(place);
    if (file) yield file;
    for (const dir of this.#folders.tree(relative(place))) yield* this.filesIn(dir);
  }

  /** Returns whether the ledger knows a file there, or in or below the folder there. */
  knowsAny(place: Place): boolean {
    return this.rowsAt(place).next().value !== undefined;
  }

  /** Yields all folders that the ledger knows, for reconciliation. @param order as of `Folders.tree` */
  *folders(order?: TreeOrder): Generator<string, void, void> {
    for (const space of ["homes", "public"]) yield* this.#folders.tree(space, order);
  }

  /** How much there is, and in how many files: what a look at all of them will take. */
  totals(): { files: number; bytes: number } {
    return this.#db.get<{ files: number; bytes: number }>(
      "SELECT count(*) AS files, coalesce(sum(size), 0) AS bytes FROM file",
    )!;
  }

  /** How much an account keeps, and in how many files. */
  owned(account: number): { files: number; bytes: number } {
    return this.#db.get<{ files: number; bytes: number }>(
      "SELECT count(*) AS files, coalesce(sum(size), 0) AS bytes FROM file WHERE owner = ?",
      account,
    )!;
  }

  /** Where an account's files lie in one of the two spaces. */
  ownedPlaces(account: number, space: "homes" | "public"): Place[] {
    const paths = new Map<number, string>();
    return this.#db.all<{ folder: number; name: string }>(
      "SELECT folder, name FROM file WHERE owner = ?",
      account,
    ).map(({ folder, name }) => ({ dir: this.#folders.path(folder, paths), name }))
      .filter(({ dir }) => dir === space || dir.startsWith(`${space}/`));
  }

  /** Forgets one file, with its properties and locks. @returns whether it was known */
  forgetFile(place: Place): boolean {
    for (const table of ["property", "lock"] as const) this.#delete(table, place);
    return this.#deleteFile(place) > 0;
  }

  /** Forgets a file, or a folder with all that is in and below it. @returns how many files */
  forget(place: Place): number {
    return this.#db.transaction(() => this.#forgetBelow(place) + Number(this.forgetFile(place)));
  }

  /**
   * A file or folder has a new name: its row follows, its properties, and those below it; so do the
   * uploads into a folder, which keep their credit. `UploadsAt.uncredit` first, for a file.
   * Locks don't follow, they end; one on the very place that it comes to holds for it from then on
   * (RFC 4918, section 7.7).
   */
  rename(from: Place, to: Place): void {
    const [dir, low, high] = below(from);
    const target = relative(to);
    this.#db.transaction(() => {
      this.#forgetBelow(to);
      this.#delete("property", to);
      this.#deleteFile(to);
      this.#delete("lock", from);
      this.#deleteBelow("lock", from);
      this.#db.run(
        "UPDATE property SET dir = ?, name = ? WHERE dir = ? AND name = ?",
        ...[to.dir, to.name, from.dir, from.name],
      );
      for (const table of ["upload", "property"]) {
        this.#db.run(
          `UPDATE ${table} SET dir = ?1 || substr(dir, length(?2) + 1)
           WHERE dir = ?2 OR (dir >= ?3 AND dir < ?4)`,
          ...[target, dir, low, high],
        );
      }
      const folder = this.#folders.id(from.dir);
      if (folder === undefined) return;
      this.#db.run(
        "UPDATE file SET folder = ?, name = ? WHERE folder = ? AND name = ?",
        ...[this.#folders.need(to.dir), to.name, folder, from.name],
      );
      this.#folders.rename(from, to);
    });
  }

  /** Is anything in or below a folder, or the file itself, charged to others? @returns the first such */
  foreign(place: Place, account: number): FileRow | undefined {
    const file = this.file(place);
    if (file && file.owner !== account) return file;
    const dir = relative(place);
    const folder = this.#folders.id(dir);
    if (folder === undefined) return undefined;
    const sql = `${filesInTree} WHERE file.owner IS NOT ?3 LIMIT 1`;
    return this.#db.get<FileRow>(sql, folder, dir, account);
  }

  /** Sums that differ from what they sum; triggers keep them, so that there should be none. */
  wrongSums(): Sums[] {
    return this.#db.all(
      `SELECT account, id, used, reserved, entries FROM (
         SELECT account.name AS account, account.id AS id, account.used AS was,
           account.reserved AS held, account.entries AS counted,
           (SELECT coalesce(sum(size), 0) FROM file WHERE owner = account.id) AS used,
           (SELECT coalesce(sum(max(0, want - credit)), 0) FROM upload WHERE upload.account = account.id) AS reserved,
           ${entriesOf("account.id")} AS entries
         FROM account)
       WHERE was <> used OR held <> reserved OR counted <> entries`,
    );
  }

  /** Sets an account's sums, and counts its entries. */
  correct(id: number, used: number, reserved: number): void {
    this.#db.run(
      `UPDATE account SET used = ?2, reserved = ?3, entries = ${entriesOf("?1")} WHERE id = ?1`,
      ...[id, used, reserved],
    );
  }

  #forgetBelow(place: Place): number {
    for (const table of ["property", "lock"] as const) this.#deleteBelow(table, place);
    return this.#folders.forget(place);
  }

  #deleteFile({ dir, name }: Place): number {
    const folder = this.#folders.id(dir) ?? null;
    return this.#db.run("DELETE FROM file WHERE folder = ? AND name = ?", folder, name).changes;
  }

  #delete(table: Table, { dir, name }: Place): number {
    return this.#db.run(`DELETE FROM ${table} WHERE dir = ? AND name = ?`, dir, name).changes;
  }

  #deleteBelow(table: Table, place: Place): number {
    const sql = `DELETE FROM ${table} WHERE dir = ? OR (dir >= ? AND dir < ?)`;
    return this.#db.run(sql, ...below(place)).changes;
  }
}

/** An account's sums. */
export interface Sums {
  /** Its name. */
  readonly account: string;
  readonly id: number;
  readonly used: number;
  readonly reserved: number;
  readonly entries: number;
}

/** SQL for the number of an account's entries. */
function entriesOf(account: string): string {
  return `((SELECT count(*) FROM file WHERE owner = ${account})
    + (SELECT count(*) FROM folder WHERE owner = ${account})
    + (SELECT count(*) FROM upload WHERE upload.account = ${account} AND entry = 1))`;
}

/** The folder that a place is, and the bounds of all folders below it: '0' follows '/' in ASCII. */
export function below(place: Place): [dir: string, low: string, high: string] {
  const folder = relative(place);
  return [folder, `${folder}/`, `${folder}0`];
}
