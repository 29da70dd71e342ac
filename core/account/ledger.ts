/**
 * The ledger: which account is charged for which file, with the digest that its bytes must have.
 *
 * A row belongs to the file on disk of the same name as long as size, time and inode agree; a file
 * without such a row was put there by hand: it is served, but charged to nobody and has no digest,
 * until `barge verify --repair` takes it in.
 */
import { type Place, relative } from "../vault/place.ts";
import type { Database } from "./database.ts";
import { inPages, pageRows } from "./pages.ts";

/** What the ledger knows of a committed file. */
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

/** What is put into the ledger when a file is committed. */
export interface NewFile extends Place {
  readonly owner: number | null;
  readonly size: number;
  readonly sha256: string;
  readonly modified: number;
  readonly ino: number;
  readonly verified: boolean;
}

/** What is kept by places: files, and what hangs on them or on folders. */
type Table = "file" | "property" | "lock";

const fileColumns =
  `file.dir, file.name, file.owner, account.name AS ownerName, file.size, file.sha256,
  file.modified, file.ino, file.verified`;

export class Ledger {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Enters a file, in place of what the ledger knew under that name. */
  enter(file: NewFile): void {
    this.enterAll([file]);
  }

  /** The same for several. */
  enterAll(files: readonly NewFile[]): void {
    this.#db.runAll(
      `INSERT INTO file (dir, name, owner, size, sha256, modified, ino, verified)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (dir, name) DO UPDATE SET owner = excluded.owner, size = excluded.size,
         sha256 = excluded.sha256, modified = excluded.modified, ino = excluded.ino,
         verified = excluded.verified`,
      files.map((f) => [
        ...[f.dir, f.name, f.owner, f.size, f.sha256, f.modified, f.ino, f.verified ? 1 : 0],
      ]),
    );
  }

  /** The file's time was set on disk, in ms since 1970. */
  setModified({ dir, name }: Place, modified: number): void {
    this.#db.run("UPDATE file SET modified = ? WHERE dir = ? AND name = ?", modified, dir, name);
  }

  file({ dir, name }: Place): FileRow | undefined {
    return this.#db.get<FileRow>(
      `SELECT ${fileColumns} FROM file LEFT JOIN account ON account.id = file.owner
       WHERE dir = ? AND file.name = ?`,
      ...[dir, name],
    );
  }

  /** The digest of a file that is still the one that was committed; undefined for any other. */
  digest(
    { dir, name }: Place,
    found: Pick<FileRow, "size" | "modified" | "ino">,
  ): string | undefined {
    return this.#db.get<{ sha256: string }>(
      "SELECT sha256 FROM file WHERE dir = ? AND name = ? AND size = ? AND modified = ? AND ino = ?",
      ...[dir, name, found.size, found.modified, found.ino],
    )?.sha256;
  }

  /** What the ledger knows of some names in one folder, by name. @param names a batch of a listing */
  named(dir: string, names: readonly string[]): Map<string, FileRow> {
    const rows = this.#db.all<FileRow>(
      `SELECT ${fileColumns} FROM json_each(?2) AS wanted
       CROSS JOIN file ON file.dir = ?1 AND file.name = wanted.value
       LEFT JOIN account ON account.id = file.owner`,
      ...[dir, JSON.stringify(names)],
    );
    return new Map(rows.map((row) => [row.name, row]));
  }

  /** Yields the files in one folder, by name. */
  filesIn(dir: string): Generator<FileRow, void, void> {
    return inPages((last) =>
      this.#db.all<FileRow>(
        `SELECT ${fileColumns} FROM file LEFT JOIN account ON account.id = file.owner
         WHERE dir = ? AND file.name > ? ORDER BY file.name LIMIT ${pageRows}`,
        ...[dir, last?.name ?? ""],
      )
    );
  }

  /** Yields the file there, and all in and below the folder there. */
  *rowsAt(place: Place): Generator<FileRow, void, void> {
    const file = this.file(place);
    if (file) yield file;
    const [dir, low, high] = below(place);
    yield* this.filesIn(dir);
    for (const folder of this.#foldersBetween(low, high)) yield* this.filesIn(folder);
  }

  /** Returns whether the ledger knows a file there, or in or below the folder there. */
  knowsAny(place: Place): boolean {
    return this.rowsAt(place).next().value !== undefined;
  }

  /** Yields all folders that the ledger has files in, for reconciliation. */
  folders(): Generator<string, void, void> {
    return this.#foldersBetween("", "\u{10FFFF}");
  }

  /** Returns whether the ledger has files directly in a folder. */
  hasFilesIn(dir: string): boolean {
    return this.#db.get("SELECT 1 FROM file WHERE dir = ? LIMIT 1", dir) !== undefined;
  }

  /** One look-up in the index a folder, however many files it has. */
  *#foldersBetween(low: string, high: string): Generator<string, void, void> {
    const sql = "SELECT min(dir) AS dir FROM file WHERE dir > ? AND dir < ?";
    const next = (dir: string) => this.#db.get<{ dir: string | null }>(sql, dir, high)!.dir;
    for (let dir = next(low); dir !== null; dir = next(dir)) yield dir;
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
    return this.#db.all<{ dir: string; name: string }>(
      "SELECT dir, name FROM file WHERE owner = ?1 AND (dir = ?2 OR dir >= ?2 || '/' AND dir < ?2 || '0')",
      ...[account, space],
    );
  }

  /** Forgets one file, with its properties and locks. @returns whether it was known */
  forgetFile(place: Place): boolean {
    for (const table of ["property", "lock"] as const) this.#delete(table, place);
    return this.#delete("file", place) > 0;
  }

  /** Forgets a file, or a folder with all that is in and below it. @returns how many files */
  forget(place: Place): number {
    return this.#db.transaction(() => this.#forgetBelow(place) + Number(this.forgetFile(place)));
  }

  /**
   * A file or folder has a new name: its rows, and those below it, follow, and their properties; so
   * do the uploads into a folder, which keep their credit. `UploadsAt.uncredit` first, for a file.
   * Locks don't follow, they end; one on the very place that it comes to holds for it from then on
   * (RFC 4918, section 7.7).
   */
  rename(from: Place, to: Place): void {
    const [dir, low, high] = below(from);
    const target = relative(to);
    this.#db.transaction(() => {
      this.#forgetBelow(to);
      for (const table of ["property", "file"] as const) this.#delete(table, to);
      this.#delete("lock", from);
      this.#deleteBelow("lock", from);
      for (const table of ["property", "file"]) {
        this.#db.run(
          `UPDATE ${table} SET dir = ?, name = ? WHERE dir = ? AND name = ?`,
          ...[to.dir, to.name, from.dir, from.name],
        );
      }
      // Uploads first: a credit is lost when its file goes from where the upload is.
      for (const table of ["upload", "file", "property"]) {
        this.#db.run(
          `UPDATE ${table} SET dir = ?1 || substr(dir, length(?2) + 1)
           WHERE dir = ?2 OR (dir >= ?3 AND dir < ?4)`,
          ...[target, dir, low, high],
        );
      }
    });
  }

  /** Is anything in or below a folder, or the file itself, charged to others? @returns the first such */
  foreign(place: Place, account: number): FileRow | undefined {
    const [dir, low, high] = below(place);
    return this.#db.get<FileRow>(
      `SELECT ${fileColumns} FROM file LEFT JOIN account ON account.id = file.owner
       WHERE file.owner IS NOT ?1 AND
         ((dir = ?2 AND file.name = ?3) OR dir = ?4 OR (dir >= ?5 AND dir < ?6)) LIMIT 1`,
      ...[account, place.dir, place.name, dir, low, high],
    );
  }

  /** Sums that differ from what they sum; triggers keep them, so that there should be none. */
  wrongSums(): { account: string; id: number; used: number; reserved: number }[] {
    return this.#db.all(
      `SELECT * FROM (SELECT account.name AS account, account.id AS id, account.used AS was, account.reserved AS held,
         (SELECT coalesce(sum(size), 0) FROM file WHERE owner = account.id) AS used,
         (SELECT coalesce(sum(max(0, want - credit)), 0) FROM upload WHERE upload.account = account.id) AS reserved
       FROM account) WHERE was <> used OR held <> reserved`,
    );
  }

  /** Sets an account's sums. */
  correct(id: number, used: number, reserved: number): void {
    this.#db.run("UPDATE account SET used = ?, reserved = ? WHERE id = ?", used, reserved, id);
  }

  #forgetBelow(place: Place): number {
    for (const table of ["property", "lock"] as const) this.#deleteBelow(table, place);
    return this.#deleteBelow("file", place);
  }

  #delete(table: Table, { dir, name }: Place): number {
    return this.#db.run(`DELETE FROM ${table} WHERE dir = ? AND name = ?`, dir, name).changes;
  }

  #deleteBelow(table: Table, place: Place): number {
    const sql = `DELETE FROM ${table} WHERE dir = ? OR (dir >= ? AND dir < ?)`;
    return this.#db.run(sql, ...below(place)).changes;
  }
}

/** The folder that a place is, and the bounds of all folders below it: '0' follows '/' in ASCII. */
export function below(place: Place): [dir: string, low: string, high: string] {
  const folder = relative(place);
  return [folder, `${folder}/`, `${folder}0`];
}
