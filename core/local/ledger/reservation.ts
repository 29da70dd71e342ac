/**
 * Reservations: what uploads under way may still write, and when that turns into a charge.
 *
 * An upload's life, each arrow one transaction:
 *
 *   begin -> (grow)* -> seal -> settle          the file is charged, the reservation is gone
 *        \-> detach -> resume -> ...            cut: keeps what is staged reserved, can be continued
 *        \-> resume -> ...                      taken over: the same row with another holder
 *        \-> drop                               given up: nothing is reserved any more
 *
 * An upload belongs to the holder in its row. A connection that resumes it becomes its holder, also
 * while another one still writes it. A sealed upload, which is about to become a file, can't be
 * taken over. Later steps of the former holder find the other name in the row and change nothing.
 *
 * Invariant: for every account, `used + reserved <= quota` after any sequence of these, unless the
 * quota was lowered below that. `begin`, `resume` and `grow` are the only ones that can raise the
 * sum (and a rename, see uploads_at.ts); each checks and raises it in one statement, under the
 * write lock. schema.ts holds the sums.
 *
 * An overwrite is charged its difference: the upload takes the size of the account's own file at
 * that path as `credit`. Only one upload a path may, else two would spend the same bytes.
 *
 * A partial upload is an entry of its account, as the file is that it becomes. The one that has the
 * credit is the same entry as the file (`entry` 0), so that a file can be replaced where no entry is
 * left. The same statements look and count, and so `entries <= entry_limit` holds likewise.
 */
import { takenOver } from "../vault/fences.ts";
import type { Place } from "../../storage/place.ts";
import {
  isFullOfPartials,
  maxPartialUploads,
  partialUploads,
  tooManyPartials,
} from "../database/bounds.ts";
import type { Database } from "../database/database.ts";
import { claim, type Claimed, claimOf } from "./claim.ts";
import { Folders } from "./folders.ts";
import { inPages, pageRows } from "../../storage/pages.ts";
import type { Ledger, NewFile } from "./ledger.ts";
import { overQuota } from "./over_quota.ts";

export interface UploadRow extends Place {
  readonly id: number;
  readonly account: number;
  /** Declared bytes; null when unknown. */
  readonly size: number | null;
  readonly want: number;
  readonly credit: number;
  /** 0: it is one entry with the file that it is to replace. */
  readonly entry: number;
  /** The id of its folder's row; null where that has none. */
  readonly folder: number | null;
  readonly modified: number | null;
  /** Set once sealed. */
  readonly sha256: string | null;
  readonly verified: number;
  readonly holder: string | null;
  readonly touched: number;
  /** How many of the staged bytes can be continued; null: all. */
  readonly whole: number | null;
}

/** What tells one upload from another, and whose it is at this moment. */
export type Held = Pick<UploadRow, "id" | "account" | "dir" | "name" | "holder">;

/** What a new upload needs to be known. */
export interface Declared extends Place {
  readonly account: number;
  readonly size: number | null;
  readonly modified: number | null;
  readonly holder: string;
  /** Bytes to reserve where the size is not known. */
  readonly reserve?: number;
}

/** What is known of an upload whose bytes have all arrived. */
export interface Sealed {
  readonly size: number;
  /** In hex. */
  readonly sha256: string;
  readonly verified: boolean;
}

/**
 * The time without a byte, in ms, after which a holder counts as gone: its upload is listed as
 * idle, and a new one may replace it.
 */
export const staleAfter = 10_000;
/** How long an unfinished upload is kept after it last moved, in ms. */
export const keepPartialMs = 7 * 24 * 3600 * 1000;

export class Reservations {
  readonly #db: Database;
  readonly #ledger: Ledger;
  readonly #folders: Folders;

  constructor(db: Database, ledger: Ledger) {
    this.#db = db;
    this.#ledger = ledger;
    this.#folders = new Folders(db);
  }

  /**
   * Reserves room for an upload, all of a declared size at once. One that has not arrived whole counts
   * among the account's partial uploads from here on.
   *
   * @param sealed what has arrived already, all of it: as {@link seal} in the same step
   * @returns its row; its id names its staged bytes
   * @throws {BargeError} `over-quota`, also for one partial upload too many
   */
  begin(upload: Declared, sealed?: Sealed): UploadRow {
    const { account, dir, name, size, modified, holder } = upload;
    const want = sealed?.size ?? size ?? upload.reserve ?? 0;
    const touched = Date.now();
    const sha256 = sealed?.sha256 ?? null;
    const verified = sealed?.verified === false ? 0 : 1;
    const made = this.#db.joined(() => {
      const folder = this.#folders.id(dir) ?? null;
      const made = this.#db.get<
        { id: number; credit: number; entry: number; folder: number | null }
      >(
        `INSERT INTO upload (account, dir, name, size, want, credit, entry, folder, modified, holder, touched, sha256, verified)
         SELECT id, ?2, ?3, ?4, ?5, coalesce(claim, 0), claim IS NULL, ?11, ?6, ?7, ?8, ?9, ?10 FROM (
           SELECT id, quota, used + reserved AS taken, entries, entry_limit,
             ${claim("?1", "?3", "?11")} AS claim FROM account WHERE id = ?1)
         WHERE (quota IS NULL OR ?5 <= coalesce(claim, 0) OR taken + ?5 - coalesce(claim, 0) <= quota)
           AND (entry_limit IS NULL OR claim IS NOT NULL OR entries < entry_limit)
           AND (?9 IS NOT NULL OR ${partialUploads} < ${maxPartialUploads})
         RETURNING id, credit, entry, folder`,
        ...[account, dir, name, size, want, modified, holder, touched, sha256, verified, folder],
      );
      if (made) return made;
      if (sha256 === null && isFullOfPartials(this.#db, account)) {
        throw tooManyPartials(this.#db, account);
      }
      const { credit, entry } = claimOf(this.#db, account, name, folder);
      throw overQuota(this.#db, account, want - credit, entry);
    });
    const facts = { account, dir, name, size, want, modified, holder, touched, sha256, verified };
    return { ...facts, ...made, whole: null };
  }

  /**
   * The unfinished upload of an account to a path that nobody is writing now.
   *
   * @returns the newest such, or undefined
   */
  idle(account: number, { dir, name }: Place): UploadRow | undefined {
    return this.#db.get<UploadRow>(
      `SELECT * FROM upload WHERE account = ? AND dir = ? AND name = ? AND sha256 IS NULL
       AND (holder IS NULL OR touched < ?) ORDER BY id DESC LIMIT 1`,
      ...[account, dir, name, Date.now() - staleAfter],
    );
  }

  /**
   * The upload of an account to a path that {@link resume} can take up: the newest that is not sealed,
   * whether or not somebody writes it now.
   */
  resumable(account: number, { dir, name }: Place): UploadRow | undefined {
    return this.#db.get<UploadRow>(
      `SELECT * FROM upload WHERE account = ? AND dir = ? AND name = ? AND sha256 IS NULL
       ORDER BY id DESC LIMIT 1`,
      ...[account, dir, name],
    );
  }

  /** Yields all of an account's that nobody is writing now, the oldest first. */
  idleOf(account: number): Generator<UploadRow, void, void> {
    return this.#each(
      "account = ? AND sha256 IS NULL AND (holder IS NULL OR touched < ?)",
      ...[account, Date.now() - staleAfter],
    );
  }

  /** Yields all of an account's that are no file yet, also those under way; the oldest first. */
  unfinishedOf(account: number): Generator<UploadRow, void, void> {
    return this.#each("account = ? AND sha256 IS NULL", account);
  }

  /**
   * Resumes an unfinished upload, and reserves room for the rest of it. It may have a holder that
   * still writes; the caller must fence those writes off before it uses the staged bytes.
   *
   * @returns its row, or undefined when it is sealed or gone
   * @throws {BargeError} `over-quota`
   */
  resume(id: number, declared: Declared): UploadRow | undefined {
    return this.#db.transaction(() => {
      const row = this.upload(id);
      if (!row || row.sha256) return undefined;
      const folder = this.#folders.id(declared.dir) ?? null;
      const held = claimOf(this.#db, declared.account, declared.name, folder, id);
      this.#raise(row, { ...held, want: declared.size ?? row.want });
      this.#db.run(
        `UPDATE upload SET size = ?, modified = ?, holder = ?, folder = ?, touched = ? WHERE id = ?`,
        ...[declared.size, declared.modified, declared.holder, folder, Date.now(), id],
      );
      return this.upload(id);
    });
  }

  /**
   * Reserves more for an upload whose size is not known.
   *
   * @param want bytes that it needs now, all told
   * @throws {BargeError} `over-quota`; `unavailable` when the upload was taken over or is gone
   */
  grow(id: number, holder: string, want: number): void {
    this.#db.transaction(() => {
      const row = this.#held(id, holder);
      this.#raise(row, { ...row, want });
    });
  }

  /**
   * Notes how many bytes of an upload can be continued should its writer be gone: before it writes
   * behind a gap, or over what is there. Null: all that are staged.
   *
   * @throws {BargeError} `unavailable` when the upload was taken over or is gone
   */
  keepWhole(id: number, holder: string, whole: number | null): void {
    const { changes } = this.#db.run(
      "UPDATE upload SET whole = ?, touched = ? WHERE id = ? AND holder = ?",
      ...[whole, Date.now(), id, holder],
    );
    if (changes === 0) throw takenOver();
  }

  /** Returns whether an upload is still its holder's. Needs no write lock. */
  holds(id: number, holder: string): boolean {
    const sql = "SELECT 1 FROM upload WHERE id = ? AND holder = ?";
    return this.#db.get(sql, id, holder) !== undefined;
  }

  /** Notes that an upload moves: its holder is not gone. */
  touch(id: number, holder: string): void {
    this.#db.run(
      "UPDATE upload SET touched = ? WHERE id = ? AND holder = ?",
      ...[Date.now(), id, holder],
    );
  }

  /**
   * Records what is about to be renamed into place. From here on a crash finds out by the staged
   * bytes whether the rename happened: they are gone then.
   *
   * @throws {BargeError} `unavailable` when the upload was taken over or is gone
   */
  seal(id: number, holder: string, facts: Sealed): void {
    this.#db.joined(() => {
      const row = this.#held(id, holder);
      if (row.want < facts.size) throw new RangeError("sealed with more than was reserved");
      this.#db.run(
        "UPDATE upload SET want = ?, sha256 = ?, verified = ?, touched = ? WHERE id = ?",
        ...[facts.size, facts.sha256, facts.verified ? 1 : 0, Date.now(), id],
      );
    });
  }

  /** The file is in place: charges it and frees the reservation. */
  settle(id: number, file: NewFile): void {
    this.#db.joined(() => {
      this.#db.run("DELETE FROM upload WHERE id = ?", id);
      this.#ledger.enter(file);
    });
  }

  /**
   * Lets go of an upload that was cut. What is staged stays reserved, no more; if another one to
   * the same path by the same account can be continued already, or the account has as many partial
   * uploads as it may, this one is dropped. One that was
   * taken over is left alone.
   *
   * @param staged bytes on disk that can be continued
   * @param gaps are there more, behind a gap?
   * @param empty keep it also where nothing is staged: it was announced
   * @returns whether the staged bytes belong to an upload; if not, the caller deletes them
   */
  detach(id: number, holder: string, staged: number, gaps = false, empty = false): boolean {
    return this.#db.transaction(() => {
      const row = this.upload(id);
      if (!row) return false; // removed; its number is nobody else's
      if (row.holder !== holder) return true; // the staged bytes are another's now
      const other = this.#db.get(
        "SELECT 1 FROM upload WHERE account = ? AND dir = ? AND name = ? AND id <> ?",
        ...[row.account, row.dir, row.name, id],
      );
      // A sealed one did not count among the partial uploads, and becomes one now.
      const full = row.sha256 !== null && isFullOfPartials(this.#db, row.account);
      if (other || full || staged === 0 && !empty) {
        this.#db.run("DELETE FROM upload WHERE id = ?", id);
        return false;
      }
      this.#db.run(
        "UPDATE upload SET holder = NULL, sha256 = NULL, whole = ?, want = min(want, ?), touched = ? WHERE id = ?",
        ...[gaps ? staged : null, staged, Date.now(), id],
      );
      return true;
    });
  }

  /** Nobody writes it any more, and so many bytes are staged: for recovery on start. */
  release(id: number, staged: number): void {
    this.#db.run(
      "UPDATE upload SET holder = NULL, sha256 = NULL, whole = NULL, want = min(want, ?) WHERE id = ?",
      ...[staged, id],
    );
  }

  /** Gives an upload up. @returns whether it was still the holder's; then its bytes are to go */
  drop(id: number, holder?: string): boolean {
    return this.#db.run(
      "DELETE FROM upload WHERE id = ?1 AND (?2 IS NULL OR holder = ?2)",
      ...[id, holder ?? null],
    ).changes > 0;
  }

  upload(id: number): UploadRow | undefined {
    return this.#db.get<UploadRow>("SELECT * FROM upload WHERE id = ?", id);
  }

  /** All uploads at once: for few. */
  uploads(): UploadRow[] {
    return [...this.eachUpload()];
  }

  /** Yields all uploads, for recovery and reports. */
  eachUpload(): Generator<UploadRow, void, void> {
    return this.#each("TRUE");
  }

  /** How many there are, how many of them move, and the bytes that they have in staging or may. */
  totals(): { unfinished: number; moving: number; staged: number } {
    return this.#db.get<{ unfinished: number; moving: number; staged: number }>(
      `SELECT count(*) AS unfinished, coalesce(sum(want), 0) AS staged,
       count(*) FILTER (WHERE holder IS NOT NULL AND touched >= ?) AS moving FROM upload`,
      Date.now() - staleAfter,
    )!;
  }

  /** The unfinished upload of an account to a path, whether or not somebody writes it now. */
  unfinished(account: number, { dir, name }: Place): UploadRow | undefined {
    return this.#db.get<UploadRow>(
      "SELECT * FROM upload WHERE account = ? AND dir = ? AND name = ? ORDER BY id DESC LIMIT 1",
      ...[account, dir, name],
    );
  }

  /** Yields all uploads whose holder's mark begins with a prefix, that of a worker. */
  heldBy(prefix: string): Generator<UploadRow, void, void> {
    return this.#each("substr(holder, 1, length(?1)) = ?1", prefix);
  }

  /**
   * Drops all uploads that did not move since then: also those whose holder is gone without a word,
   * but for sealed ones, which may be files already.
   *
   * @returns their ids
   */
  dropOlder(than: number): number[] {
    return this.#db.all<{ id: number }>(
      "DELETE FROM upload WHERE touched < ? AND (holder IS NULL OR sha256 IS NULL) RETURNING id",
      than,
    ).map((row) => row.id);
  }

  /**
   * Gives an upload another place, with the credit of its account's file there, if any.
   *
   * @throws as {@link grow}
   */
  retarget(id: number, holder: string, { dir, name }: Place): void {
    this.#db.transaction(() => {
      const row = this.#held(id, holder);
      if (row.dir === dir && row.name === name) return;
      const folder = this.#folders.id(dir) ?? null;
      this.#raise(row, { want: row.want, ...claimOf(this.#db, row.account, name, folder, id) });
      this.#db.run(
        "UPDATE upload SET dir = ?, name = ?, folder = ? WHERE id = ?",
        ...[dir, name, folder, id],
      );
    });
  }

  #raise(row: UploadRow, { want, credit, entry }: Claimed & { readonly want: number }): void {
    const more = Math.max(0, want - credit) - Math.max(0, row.want - row.credit);
    const entries = entry - row.entry;
    const { changes } = this.#db.run(
      `UPDATE upload SET want = ?2, credit = ?3, entry = ?6, touched = ?4 WHERE id = ?1
       AND (?5 <= 0 OR EXISTS (SELECT 1 FROM account WHERE id = upload.account
         AND (quota IS NULL OR used + reserved + ?5 <= quota)))
       AND (?7 <= 0 OR EXISTS (SELECT 1 FROM account WHERE id = upload.account
         AND (entry_limit IS NULL OR entries < entry_limit)))`,
      ...[row.id, want, credit, Date.now(), more, entry, entries],
    );
    if (changes === 0) throw overQuota(this.#db, row.account, more, entries);
  }

  /** @param where in SQL; its parameters have no numbers above theirs */
  #each(where: string, ...values: (number | string)[]): Generator<UploadRow, void, void> {
    const sql = `SELECT * FROM upload WHERE ${where} AND id > ? ORDER BY id LIMIT ${pageRows}`;
    return inPages((last) => this.#db.all<UploadRow>(sql, ...values, last?.id ?? 0));
  }

  #held(id: number, holder: string): UploadRow {
    const row = this.upload(id);
    if (row?.holder !== holder) throw takenOver();
    return row;
  }
}
