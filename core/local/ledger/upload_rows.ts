/** Reads the rows of uploads, and changes columns that no sum depends on. */
import type { Place } from "../../storage/place.ts";
import { inPages, pageRows } from "../../storage/pages.ts";
import type { Totals } from "../../storage/accounts.ts";
import type { NewUpload } from "../../storage/uploads.ts";
import { Table } from "../database/table.ts";
import { takenOver } from "../vault/fences.ts";

export interface UploadRow extends Place {
  readonly id: number;
  readonly account: number;
  /** Declared bytes; null when unknown. */
  readonly size: number | null;
  readonly want: number;
  readonly credit: number;
  /** The entries that the upload counts for: 0 if it shares the entry of the file that it replaces, else 1. */
  readonly entry: number;
  /** The id of its folder's row; null if there is none. */
  readonly folder: number | null;
  readonly modified: number | null;
  /** The digest of a sealed upload, in hex; null before the seal. */
  readonly sha256: string | null;
  readonly verified: number;
  readonly holder: string | null;
  readonly touched: number;
  /** Staged bytes that can be resumed; null for all. */
  readonly whole: number | null;
}

export type HeldUpload = Pick<UploadRow, "id" | "account" | "dir" | "name" | "holder">;

/** An upload with its first holder. */
export type DeclaredUpload = NewUpload & { readonly holder: string };

/** The time without a byte after which a holder's lease ends. A new upload may then replace the holder's. */
export const staleAfterMs = 10_000;
/** The time that a partial upload is kept after its last byte. */
export const keepPartialMs = 7 * 24 * 3600 * 1000;

export class UploadRows extends Table {
  upload(id: number): UploadRow | undefined {
    return this.db.get<UploadRow>("SELECT * FROM upload WHERE id = ?", id);
  }

  /** Returns all uploads, for tests. */
  uploads(): UploadRow[] {
    return [...this.eachUpload()];
  }

  /** Yields all uploads, for recovery and reports. */
  eachUpload(): Generator<UploadRow, void, void> {
    return this.#each("TRUE");
  }

  /** Yields the uploads whose holder's name begins with a prefix. */
  heldBy(prefix: string): Generator<UploadRow, void, void> {
    return this.#each("substr(holder, 1, length(?1)) = ?1", prefix);
  }

  /** Yields an account's unsealed uploads, the oldest first. */
  unfinishedOf(account: number): Generator<UploadRow, void, void> {
    return this.#each("account = ? AND sha256 IS NULL", account);
  }

  /** Returns an account's newest partial upload to a path that nobody writes. */
  idle(account: number, place: Place): UploadRow | undefined {
    const idle = "AND sha256 IS NULL AND (holder IS NULL OR touched < ?)";
    return this.#newest(account, place, idle, Date.now() - staleAfterMs);
  }

  /** Returns an account's newest unsealed upload to a path, which `Reservations.resume` can take. */
  resumable(account: number, place: Place): UploadRow | undefined {
    return this.#newest(account, place, "AND sha256 IS NULL");
  }

  /** Returns an account's newest upload to a path. */
  unfinished(account: number, place: Place): UploadRow | undefined {
    return this.#newest(account, place);
  }

  #newest(account: number, { dir, name }: Place, and = "", ...values: number[]) {
    const sql = `SELECT * FROM upload WHERE account = ? AND dir = ? AND name = ? ${and}
      ORDER BY id DESC LIMIT 1`;
    return this.db.get<UploadRow>(sql, account, dir, name, ...values);
  }

  /** Returns the accounts that have unsealed uploads. */
  withUnfinished(accounts: Iterable<number>): Set<number> {
    const sql = "SELECT 1 FROM upload WHERE account = ? AND sha256 IS NULL LIMIT 1";
    return new Set(Iterator.from(accounts).filter((id) => this.db.get(sql, id) !== undefined));
  }

  /** Returns the number of uploads, the number of those whose bytes move now, and the bytes they may stage. */
  totals(): Totals["uploads"] {
    return this.db.get(
      `SELECT count(*) AS unfinished, coalesce(sum(want), 0) AS staged,
       count(*) FILTER (WHERE holder IS NOT NULL AND touched >= ?) AS moving FROM upload`,
      Date.now() - staleAfterMs,
    )!;
  }

  /** Returns whether an upload still has this holder. */
  holds(id: number, holder: string): boolean {
    const sql = "SELECT 1 FROM upload WHERE id = ? AND holder = ?";
    return this.db.get(sql, id, holder) !== undefined;
  }

  /** Returns the uploads that still have these holders and paths. */
  stillHeld(uploads: readonly HeldUpload[]): Set<HeldUpload> {
    const rows = this.db.all<HeldUpload>(
      `SELECT id, account, dir, name, holder FROM upload
       WHERE id IN (SELECT value FROM json_each(?))`,
      JSON.stringify(uploads.map(({ id }) => id)),
    );
    const byId = new Map(rows.map((row) => [row.id, row]));
    return new Set(uploads.filter(({ id, dir, name, holder }) => {
      const row = byId.get(id);
      return row?.holder === holder && row.dir === dir && row.name === name;
    }));
  }

  /** Records that an upload's holder still writes. */
  touch(id: number, holder: string): void {
    const sql = "UPDATE upload SET touched = ? WHERE id = ? AND holder = ?";
    this.db.run(sql, Date.now(), id, holder);
  }

  /**
   * Records the number of bytes that can be resumed if the writer dies, before it writes behind a gap or
   * over copied bytes.
   *
   * @param whole null: all staged bytes
   * @throws {BargeError} `unavailable` when the upload was taken over or is gone
   */
  keepWhole(id: number, holder: string, whole: number | null): void {
    const sql = "UPDATE upload SET whole = ?, touched = ? WHERE id = ? AND holder = ?";
    const { changes } = this.db.run(sql, whole, Date.now(), id, holder);
    if (changes === 0) throw takenOver();
  }

  /** Yields rows, the oldest first. @param where SQL with parameters for `values` */
  #each(where: string, ...values: (number | string)[]): Generator<UploadRow, void, void> {
    const sql = `SELECT * FROM upload WHERE ${where} AND id > ? ORDER BY id LIMIT ${pageRows}`;
    return inPages((last) => this.db.all<UploadRow>(sql, ...values, last?.id ?? 0));
  }
}
