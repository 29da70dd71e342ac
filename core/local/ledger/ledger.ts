/**
 * The ledger: for each file the account that is charged for it, and the digest of its bytes.
 *
 * A row describes the file on disk of that name as long as size, time and inode agree. If they differ, the
 * file was put there or changed by hand: it is served, but charged to nobody and without a digest, until
 * `barge verify --repair` enters it.
 */
import type { Account } from "../../storage/account.ts";
import { type Place, relative } from "../../storage/place.ts";
import { Table } from "../database/table.ts";
import { descents, Folders, tree, type TreeOrder } from "./folders.ts";
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
export type NewFile = Omit<FileRow, "ownerName" | "verified"> & { readonly verified: boolean };

/** The number of files, and of their bytes. */
interface Totals {
  readonly files: number;
  readonly bytes: number;
}

/** Tables that name files and folders by their paths. */
const attachedTables = ["property", "lock"] as const;
type AttachedTable = typeof attachedTables[number];

const totals = "SELECT count(*) AS files, coalesce(sum(size), 0) AS bytes FROM file";
/** The columns of {@link FileRow} without `dir`. */
const fileColumns = `file.name, file.owner, account.name AS ownerName, file.size, file.sha256,
  file.modified, file.ino, file.verified`;
/** The files in a folder. Parameters 1 and 3: the folder's id and path. */
const files = `SELECT ?3 AS dir, ${fileColumns} FROM file
  LEFT JOIN account ON account.id = file.owner WHERE folder = ?1`;

/** Statements for the row of a file in a folder: see `descents`. */
const fileRows = descents(
  fileColumns,
  "file LEFT JOIN account ON account.id = file.owner",
  "file.folder = FOLDER AND file.name = ?",
);

export class Ledger extends Table {
  readonly #folders = new Folders(this.db);

  /** Enters a file, in place of the former row of that name. */
  enter(file: NewFile): void {
    this.enterAll([file]);
  }

  /** Enters several files. Missing rows of folders are added without an owner. */
  enterAll(files: readonly NewFile[]): void {
    this.db.joined(() => {
      const dirs = new Set(files.map(({ dir }) => dir));
      const folders = new Map(Iterator.from(dirs).map((dir) => [dir, this.#folders.need(dir)]));
      this.db.insertAll(
        `INSERT INTO file (folder, name, owner, size, sha256, modified, ino, verified) VALUES ROWS
         ON CONFLICT (folder, name) DO UPDATE SET owner = excluded.owner, size = excluded.size,
           sha256 = excluded.sha256, modified = excluded.modified, ino = excluded.ino,
           verified = excluded.verified`,
        files.map((
          { dir, name, owner, size, sha256, modified, ino, verified },
        ) => [folders.get(dir)!, name, owner, size, sha256, modified, ino, Number(verified)]),
      );
    });
  }

  /** Records a file's new time, in ms since 1970. */
  setModified({ dir, name }: Place, modified: number): void {
    const sql = "UPDATE file SET modified = ? WHERE folder = ? AND name = ?";
    this.db.run(sql, modified, this.#folders.id(dir) ?? null, name);
  }

  file({ dir, name }: Place): FileRow | undefined {
    const start = this.#folders.start(dir);
    if (start === undefined) return undefined;
    const row = this.db.get<Omit<FileRow, "dir">>(fileRows[start.length - 1], ...start, name);
    return row && { dir, ...row };
  }

  /** Returns the rows of files in a folder, by name. @param names a batch of a listing */
  named(dir: string, names: readonly string[]): Map<string, FileRow> {
    const folder = this.#folders.id(dir);
    if (folder === undefined) return new Map();
    const sql = `SELECT ?3 AS dir, ${fileColumns} FROM json_each(?2) AS wanted
       CROSS JOIN file ON file.folder = ?1 AND file.name = wanted.value
       LEFT JOIN account ON account.id = file.owner`;
    const rows = this.db.all<FileRow>(sql, folder, JSON.stringify(names), dir);
    return new Map(rows.map((row) => [row.name, row]));
  }

  /** Yields the files in one folder, by name. */
  *filesIn(dir: string): Generator<FileRow, void, void> {
    const folder = this.#folders.id(dir);
    if (folder === undefined) return;
    const sql = `${files} AND file.name > ?2 ORDER BY file.name LIMIT ${pageRows}`;
    yield* inPages((last) => this.db.all<FileRow>(sql, folder, last?.name ?? "", dir));
  }

  /** Yields the file at a place, and all files below the folder there. */
  *rowsAt(place: Place): Generator<FileRow, void, void> {
    const file = this.file(place);
    if (file) yield file;
    for (const dir of this.#folders.tree(relative(place))) yield* this.filesIn(dir);
  }

  /** Returns whether the ledger has a file at a place, or below the folder there. */
  knowsAny(place: Place): boolean {
    return this.rowsAt(place).next().value !== undefined;
  }

  /** Yields the paths of all folders in the ledger. */
  *folders(order?: TreeOrder): Generator<string, void, void> {
    for (const space of ["homes", "public"]) yield* this.#folders.tree(space, order);
  }

  totals(): Totals {
    return this.db.get(totals)!;
  }

  /** Returns the totals of the files that an account is charged for. */
  owned(account: number): Totals {
    return this.db.get(`${totals} WHERE owner = ?`, account)!;
  }

  /** Returns the places of an account's files in one of the two spaces. */
  ownedPlaces(account: number, space: "homes" | "public"): Place[] {
    const paths = new Map<number, string>();
    return this.db.all<{ folder: number; name: string }>(
      "SELECT folder, name FROM file WHERE owner = ?",
      account,
    ).map(({ folder, name }) => ({ dir: this.#folders.path(folder, paths), name }))
      .filter(({ dir }) => dir === space || dir.startsWith(`${space}/`));
  }

  /** Deletes a file's row, its properties and locks. @returns whether the ledger had the file */
  forgetFile(place: Place): boolean {
    for (const table of attachedTables) this.#delete(table, place);
    return this.#deleteFile(place) > 0;
  }

  /** Deletes the rows of a file, or of a folder and all below it. @returns the number of files */
  forget(place: Place): number {
    return this.db.transaction(() => this.#forgetBelow(place) + Number(this.forgetFile(place)));
  }

  /**
   * Moves the row of a file or folder, its properties, and those below it. Uploads into a folder move,
   * too, and keep their credit; for a file the caller calls `UploadsAt.uncredit` before. Its locks end;
   * a lock on the new place holds for it (RFC 4918, section 7.7).
   */
  rename(from: Place, to: Place): void {
    this.db.transaction(() => {
      this.#forgetBelow(to);
      this.#delete("property", to);
      this.#deleteFile(to);
      this.#delete("lock", from);
      this.#deleteBelow("lock", from);
      const property = "UPDATE property SET dir = ?, name = ? WHERE dir = ? AND name = ?";
      this.db.run(property, to.dir, to.name, from.dir, from.name);
      for (const table of ["upload", "property"]) {
        const sql = `UPDATE ${table} SET dir = ? || substr(dir, length(?) + 1) WHERE ${isBelow}`;
        this.db.run(sql, relative(to), relative(from), ...below(from));
      }
      const folder = this.#folders.id(from.dir);
      if (folder === undefined) return;
      const file = "UPDATE file SET folder = ?, name = ? WHERE folder = ? AND name = ?";
      this.db.run(file, this.#folders.need(to.dir), to.name, folder, from.name);
      this.#folders.rename(from, to);
    });
  }

  /** Returns the first file, at a place or below it, that another account is charged for. */
  foreign(place: Place, account: number): FileRow | undefined {
    const file = this.file(place);
    if (file && file.owner !== account) return file;
    const dir = relative(place);
    const folder = this.#folders.id(dir);
    if (folder === undefined) return undefined;
    const sql = `${tree} SELECT tree.dir AS dir, ${fileColumns}
      FROM tree CROSS JOIN file ON file.folder = tree.id LEFT JOIN account ON account.id = file.owner
      WHERE file.owner IS NOT ?3 LIMIT 1`;
    return this.db.get<FileRow>(sql, folder, dir, account);
  }

  /** Returns the accounts whose sums are wrong, with the right sums. The triggers should prevent wrong sums. */
  wrongSums(): Sums[] {
    return this.db.all(
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

  /** Sets an account's sums; its entries are counted. */
  correct(id: number, used: number, reserved: number): void {
    const entries = entriesOf("?1");
    const sql = `UPDATE account SET used = ?2, reserved = ?3, entries = ${entries} WHERE id = ?1`;
    this.db.run(sql, id, used, reserved);
  }

  #forgetBelow(place: Place): number {
    for (const table of attachedTables) this.#deleteBelow(table, place);
    return this.#folders.forget(place);
  }

  #deleteFile({ dir, name }: Place): number {
    const folder = this.#folders.id(dir) ?? null;
    return this.db.run("DELETE FROM file WHERE folder = ? AND name = ?", folder, name).changes;
  }

  #delete(table: AttachedTable, { dir, name }: Place): void {
    this.db.run(`DELETE FROM ${table} WHERE dir = ? AND name = ?`, dir, name);
  }

  #deleteBelow(table: AttachedTable, place: Place): void {
    this.db.run(`DELETE FROM ${table} WHERE ${isBelow}`, ...below(place));
  }
}

/** The sums of an account, by its name and id. */
type Sums = Pick<Account, "id" | "used" | "reserved" | "entries"> & { readonly account: string };

/** Returns SQL for the number of an account's entries. */
function entriesOf(account: string): string {
  return `((SELECT count(*) FROM file WHERE owner = ${account})
    + (SELECT count(*) FROM folder WHERE owner = ${account})
    + (SELECT count(*) FROM upload WHERE upload.account = ${account} AND entry = 1))`;
}

/** SQL for the rows whose `dir` is a folder, or below it. Parameters: those of {@link below}. */
export const isBelow = "(dir = ? OR (dir >= ? AND dir < ?))";

/** Returns a folder's path, and the bounds of the paths below it: '0' follows '/' in ASCII. */
export function below(place: Place): [dir: string, low: string, high: string] {
  const folder = relative(place);
  return [folder, `${folder}/`, `${folder}0`];
}
