/** The rows of uploads: reading them, and the marks that change no sum. */
import type { Place } from "../../storage/place.ts";
import { inPages, pageRows } from "../../storage/pages.ts";
import type { NewUpload } from "../../storage/uploads.ts";
import type { Database } from "../database/database.ts";
import { takenOver } from "../vault/fences.ts";

export interface UploadRow extends Place {
  readonly id: number;
  readonly account: number;
  /** Declared bytes; null when unknown. */
  readonly size: number | null;
  readonly want: number;
  readonly credit: number;
  /** 0: it is one entry with the file that it will replace. */
  readonly entry: number;
  /** The id of its folder's row; null where that has none. */
  readonly folder: number | null;
  readonly modified: number | null;
  /** Set once sealed. */
  readonly sha256: string | null;
  readonly verified: number;
  readonly holder: string | null;
  readonly touched: number;
  /** Staged bytes that can be resumed; null: all. */
  readonly whole: number | null;
}

/** The identity of an upload, and its holder. */
export type HeldUpload = Pick<UploadRow, "id" | "account" | "dir" | "name" | "holder">;

/** An upload with its first holder. */
export type DeclaredUpload = NewUpload & { readonly holder: string };

/**
 * The time without a byte, in ms, after which a holder counts as gone: its upload is listed as
 * idle, and a new one may replace it.
 */
export const staleAfter = 10_000;
/** The time that a partial upload is kept after it last moved, in ms. */
export const keepPartialMs = 7 * 24 * 3600 * 1000;

/** The uploads of an account to a path. */
const atPath = "account = ? AND dir = ? AND name = ?";

export class UploadRows {
  protected readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  upload(id: number): UploadRow | undefined {
    return this.db.get<UploadRow>("SELECT * FROM upload WHERE id = ?", id);
  }

  /** Returns all uploads at once. For tests, and where they are few. */
  uploads(): UploadRow[] {
    return [...this.eachUpload()];
  }

  /** Yields all uploads, for recovery and reports. */
  eachUpload(): Generator<UploadRow, void, void> {
    return this.#each("TRUE");
  }

  /** Yields the uploads whose holder's mark begins with a prefix, that of a worker. */
  heldBy(prefix: string): Generator<UploadRow, void, void> {
    return this.#each("substr(holder, 1, length(?1)) = ?1", prefix);
  }

  /** Yields an account's uploads that nobody is writing now, the oldest first. */
  idleOf(account: number): Generator<UploadRow, void, void> {
    const where = "account = ? AND sha256 IS NULL AND (holder IS NULL OR touched < ?)";
    return this.#each(where, account, Date.now() - staleAfter);
  }

  /** Yields an account's uploads that are not sealed, also those under way; the oldest first. */
  unfinishedOf(account: number): Generator<UploadRow, void, void> {
    return this.#each("account = ? AND sha256 IS NULL", account);
  }

  /** Returns the newest partial upload of an account to a path that nobody is writing now. */
  idle(account: number, { dir, name }: Place): UploadRow | undefined {
    return this.db.get<UploadRow>(
      `SELECT * FROM upload WHERE ${atPath} AND sha256 IS NULL
       AND (holder IS NULL OR touched < ?) ORDER BY id DESC LIMIT 1`,
      account,
      dir,
      name,
      Date.now() - staleAfter,
    );
  }

  /**
   * Returns the upload of an account to a path that `Reservations.resume` can take: the newest that is
   * not sealed, whether or not somebody writes it now.
   */
  resumable(account: number, { dir, name }: Place): UploadRow | undefined {
    const sql = `SELECT * FROM upload WHERE ${atPath} AND sha256 IS NULL ORDER BY id DESC LIMIT 1`;
    return this.db.get<UploadRow>(sql, account, dir, name);
  }

  /** Returns the newest upload of an account to a path, whether or not somebody writes it now. */
  unfinished(account: number, { dir, name }: Place): UploadRow | undefined {
    const sql = `SELECT * FROM upload WHERE ${atPath} ORDER BY id DESC LIMIT 1`;
    return this.db.get<UploadRow>(sql, account, dir, name);
  }

  /** Returns those of some accounts that have uploads which are not sealed. */
  withUnfinished(accounts: Iterable<number>): Set<number> {
    const sql = "SELECT 1 FROM upload WHERE account = ? AND sha256 IS NULL LIMIT 1";
    return new Set(Iterator.from(accounts).filter((id) => this.db.get(sql, id) !== undefined));
  }

  /** Returns the number of uploads and of those that move, and the sum of what they may stage. */
  totals(): { unfinished: number; moving: number; staged: number } {
    return this.db.get<{ unfinished: number; moving: number; staged: number }>(
      `SELECT count(*) AS unfinished, coalesce(sum(want), 0) AS staged,
       count(*) FILTER (WHERE holder IS NOT NULL AND touched >= ?) AS moving FROM upload`,
      Date.now() - staleAfter,
    )!;
  }

  /** Returns whether an upload is still its holder's. Needs no write lock. */
  holds(id: number, holder: string): boolean {
    const sql = "SELECT 1 FROM upload WHERE id = ? AND holder = ?";
    return this.db.get(sql, id, holder) !== undefined;
  }

  /** Returns those of some uploads that are still their holders', and to the same paths. */
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

  /** Notes that an upload moves: its holder is not gone. */
  touch(id: number, holder: string): void {
    const sql = "UPDATE upload SET touched = ? WHERE id = ? AND holder = ?";
    this.db.run(sql, Date.now(), id, holder);
  }

  /**
   * Notes how many bytes of an upload can be resumed should its writer be gone: before it writes
   * behind a gap, or over copied bytes. Null: all that are staged.
   *
   * @throws {BargeError} `unavailable` when the upload was taken over or is gone
   */
  keepWhole(id: number, holder: string, whole: number | null): void {
    const sql = "UPDATE upload SET whole = ?, touched = ? WHERE id = ? AND holder = ?";
    const { changes } = this.db.run(sql, whole, Date.now(), id, holder);
    if (changes === 0) throw takenOver();
  }

  /** @param where in SQL; its parameters have no numbers above theirs */
  #each(where: string, ...values: (number | string)[]): Generator<UploadRow, void, void> {
    const sql = `SELECT * FROM upload WHERE ${where} AND id > ? ORDER BY id LIMIT ${pageRows}`;
    return inPages((last) => this.db.all<UploadRow>(sql, ...values, last?.id ?? 0));
  }
}
