/**
 * Reservations: the bytes that uploads under way may still write, and when those become a charge.
 *
 * An upload's life, each arrow one transaction:
 *
 *   begin -> (grow)* -> seal -> settle          the file is charged, the reservation is gone
 *        \-> detach -> resume -> ...            cut: what is staged stays reserved, can be resumed
 *        \-> resume -> ...                      taken over: the same row with another holder
 *        \-> drop                               given up: nothing is reserved any more
 *
 * An upload belongs to the holder in its row. A connection that resumes it becomes its holder, also
 * while another one still writes it. A sealed upload, which is about to become a file, can't be
 * taken over. Later steps of the former holder find another name in the row and change nothing.
 *
 * Invariant: for every account, `used + reserved <= quota` after any sequence of these, unless the
 * quota was lowered below that. `begin`, `resume`, `grow` and `retarget` are the only ones that can
 * raise the sum (and a rename, see uploads_at.ts); each raises and checks it in one transaction.
 * schema.ts holds the sums. A single upload begins and settles as a batch of one.
 *
 * An overwrite is charged its difference: the upload takes the size of the account's own file at
 * that path as `credit`. Only one upload a path may, else two would spend the same bytes.
 *
 * A partial upload is an entry of its account, as the file is that it becomes. The one that has the
 * credit is the same entry as the file (`entry` 0), so that a file can be replaced where no entry is
 * left. `entries <= entry_limit` holds likewise.
 */
import { BargeError } from "../../error.ts";
import type { Place } from "../../storage/place.ts";
import type { Content } from "../../storage/uploads.ts";
import {
  isFullOfPartials,
  maxPartialUploads,
  partialUploads,
  tooManyPartials,
} from "../database/bounds.ts";
import type { Database } from "../database/database.ts";
import { takenOver } from "../vault/fences.ts";
import { claim, type Claimed, claimOf } from "./claim.ts";
import { Folders } from "./folders.ts";
import type { Ledger, NewFile } from "./ledger.ts";
import { overQuota } from "./over_quota.ts";
import { type DeclaredUpload, type HeldUpload, type UploadRow, UploadRows } from "./upload_rows.ts";

/** An upload that begins; with `sealed`, all of its bytes have arrived, and it is sealed at once. */
export interface Beginning {
  readonly upload: DeclaredUpload;
  readonly sealed?: Content;
}

/** The sums of an account, and their limits; null for none. */
interface AccountSums {
  readonly bytes: number;
  readonly quota: number | null;
  readonly entries: number;
  readonly entryLimit: number | null;
}

/** Some sum of an account would pass its limit. */
class Over extends Error {}

export class Reservations extends UploadRows {
  readonly #ledger: Ledger;
  readonly #folders: Folders;

  constructor(db: Database, ledger: Ledger) {
    super(db);
    this.#ledger = ledger;
    this.#folders = new Folders(db);
  }

  /**
   * Reserves room for several uploads: for all of them, or for none. The size of an upload is reserved
   * at once where it is known. One that is not sealed counts among the account's partial uploads.
   *
   * @returns the uploads in their order; their ids name their staged bytes
   * @throws {BargeError} `over-quota`, also for one partial upload too many. The error describes the
   *   account's room only for a single upload: begin the uploads of a batch one by one then
   */
  begin(beginnings: readonly Beginning[]): HeldUpload[] {
    try {
      return this.db.transaction(() => this.#beginAll(beginnings));
    } catch (error) {
      if (!(error instanceof Over)) throw error;
      if (beginnings.length > 1) throw new BargeError("over-quota", "not all of them fit");
      throw this.#refusal(beginnings[0]);
    }
  }

  #beginAll(beginnings: readonly Beginning[]): HeldUpload[] {
    const accounts = new Set(beginnings.map(({ upload }) => upload.account));
    const before = new Map(Iterator.from(accounts).map((id) => [id, this.#sums(id)]));
    const touched = Date.now();
    const folders = new Map<string, number | null>();
    const folderOf = (dir: string): number | null => {
      let id = folders.get(dir);
      if (id === undefined) folders.set(dir, id = this.#folders.id(dir) ?? null);
      return id;
    };
    const ids = this.db.runAll(
      `INSERT INTO upload (account, dir, name, size, want, credit, entry, folder, modified, holder, touched, sha256, verified)
       SELECT ?1, ?2, ?3, ?4, ?5, coalesce(claim, 0), claim IS NULL, ?6, ?7, ?8, ?9, ?10, ?11
       FROM (SELECT ${claim("?1", "?3", "?6")} AS claim)`,
      beginnings.map(({ upload, sealed }) => [
        upload.account,
        upload.dir,
        upload.name,
        upload.size,
        wantOf(upload, sealed),
        folderOf(upload.dir),
        upload.modified,
        upload.holder,
        touched,
        sealed?.sha256 ?? null,
        sealed?.verified === false ? 0 : 1,
      ]),
    );
    for (const account of accounts) {
      const partial = beginnings.some(({ upload, sealed }) =>
        upload.account === account && !sealed
      );
      const tooMany = `SELECT 1 WHERE ${partialUploads} > ${maxPartialUploads}`;
      if (partial && this.db.get(tooMany, account)) throw new Over();
      if (passesLimit(before.get(account)!, this.#sums(account))) throw new Over();
    }
    return beginnings.map(({ upload: { account, dir, name, holder } }, i) => (
      { id: ids[i], account, dir, name, holder }
    ));
  }

  /** Returns the reason why an upload can't begin. */
  #refusal({ upload, sealed }: Beginning): BargeError {
    const { account, dir, name } = upload;
    if (!sealed && isFullOfPartials(this.db, account)) return tooManyPartials(this.db, account);
    const { credit, entry } = claimOf(this.db, account, name, this.#folders.id(dir) ?? null);
    return overQuota(this.db, account, wantOf(upload, sealed) - credit, entry);
  }

  /** @throws {BargeError} `denied` for an account that is gone */
  #sums(account: number): AccountSums {
    const sums = this.db.get<AccountSums>(
      `SELECT used + reserved AS bytes, quota, entries, entry_limit AS entryLimit
       FROM account WHERE id = ?`,
      account,
    );
    if (!sums) throw overQuota(this.db, account, 0, 0);
    return sums;
  }

  /**
   * Resumes a partial upload, and reserves room for the rest of it. It may have a holder that
   * still writes; the caller must fence those writes off before it uses the staged bytes.
   *
   * @returns its row, or undefined when it is sealed or gone
   * @throws {BargeError} `over-quota`
   */
  resume(id: number, declared: DeclaredUpload): UploadRow | undefined {
    return this.db.transaction(() => {
      const row = this.upload(id);
      if (!row || row.sha256) return undefined;
      const { account, dir, name, size, modified, holder } = declared;
      const folder = this.#folders.id(dir) ?? null;
      const claimed = claimOf(this.db, account, name, folder, id);
      this.#raise(row, { ...claimed, want: size ?? row.want });
      this.db.run(
        `UPDATE upload SET size = ?, modified = ?, holder = ?, folder = ?, touched = ? WHERE id = ?`,
        size,
        modified,
        holder,
        folder,
        Date.now(),
        id,
      );
      return this.upload(id);
    });
  }

  /**
   * Reserves more for an upload whose size is not known.
   *
   * @param want the sum of bytes that it needs now
   * @throws {BargeError} `over-quota`; `unavailable` when the upload was taken over or is gone
   */
  grow(id: number, holder: string, want: number): void {
    this.db.transaction(() => {
      const row = this.#held(id, holder);
      this.#raise(row, { ...row, want });
    });
  }

  /**
   * Gives an upload another place, with the credit of its account's file there, if any.
   *
   * @throws as {@link grow}
   */
  retarget(id: number, holder: string, { dir, name }: Place): void {
    this.db.transaction(() => {
      const row = this.#held(id, holder);
      if (row.dir === dir && row.name === name) return;
      const folder = this.#folders.id(dir) ?? null;
      this.#raise(row, { want: row.want, ...claimOf(this.db, row.account, name, folder, id) });
      const sql = "UPDATE upload SET dir = ?, name = ?, folder = ? WHERE id = ?";
      this.db.run(sql, dir, name, folder, id);
    });
  }

  /**
   * Records the content that is about to be renamed into place. From here on a crash is settled by the
   * staged bytes: they are gone if the rename happened.
   *
   * @throws {BargeError} `unavailable` when the upload was taken over or is gone
   */
  seal(id: number, holder: string, { size, sha256, verified }: Content): void {
    this.db.joined(() => {
      const row = this.#held(id, holder);
      if (row.want < size) throw new RangeError("sealed with more than was reserved");
      const sql = "UPDATE upload SET want = ?, sha256 = ?, verified = ?, touched = ? WHERE id = ?";
      this.db.run(sql, size, sha256, verified ? 1 : 0, Date.now(), id);
    });
  }

  /** Charges the files that sealed uploads have become, and frees what those had reserved. */
  settle(files: readonly (readonly [upload: number, NewFile])[]): void {
    this.db.joined(() => {
      const ids = JSON.stringify(files.map(([id]) => id));
      this.db.run("DELETE FROM upload WHERE id IN (SELECT value FROM json_each(?))", ids);
      this.#ledger.enterAll(files.map(([, file]) => file));
    });
  }

  /**
   * Ends the hold on an upload that was cut. What is staged stays reserved, no more. The upload is
   * dropped if another one to the same path by the same account can be resumed already, or the
   * account has as many partial uploads as it may. One that was taken over stays as it is.
   *
   * @param staged bytes on disk that can be resumed
   * @param gaps whether there are more, behind a gap
   * @param empty keep it also where nothing is staged: it was announced
   * @returns whether the staged bytes belong to an upload; if not, the caller deletes them
   */
  detach(id: number, holder: string, staged: number, gaps = false, empty = false): boolean {
    return this.db.transaction(() => {
      const row = this.upload(id);
      if (!row) return false; // removed; its number is nobody else's
      if (row.holder !== holder) return true; // the staged bytes are another's now
      const other = this.db.get(
        "SELECT 1 FROM upload WHERE account = ? AND dir = ? AND name = ? AND id <> ?",
        row.account,
        row.dir,
        row.name,
        id,
      );
      // A sealed one did not count among the partial uploads, and becomes one now.
      const full = row.sha256 !== null && isFullOfPartials(this.db, row.account);
      if (other || full || staged === 0 && !empty) {
        this.drop(id);
        return false;
      }
      this.db.run(
        "UPDATE upload SET holder = NULL, sha256 = NULL, whole = ?, want = min(want, ?), touched = ? WHERE id = ?",
        gaps ? staged : null,
        staged,
        Date.now(),
        id,
      );
      return true;
    });
  }

  /** Ends the hold on an upload of which this number of bytes is staged: for recovery on start. */
  release(id: number, staged: number): void {
    const sql =
      "UPDATE upload SET holder = NULL, sha256 = NULL, whole = NULL, want = min(want, ?) WHERE id = ?";
    this.db.run(sql, staged, id);
  }

  /** Drops an upload. @returns whether it was still the holder's; then its bytes are to go */
  drop(id: number, holder?: string): boolean {
    const sql = "DELETE FROM upload WHERE id = ?1 AND (?2 IS NULL OR holder = ?2)";
    return this.db.run(sql, id, holder ?? null).changes > 0;
  }

  /**
   * Drops the uploads that did not move since a time, in ms since 1970, also those whose holder is gone
   * without a word; not sealed ones, which may be files already.
   *
   * @returns their ids
   */
  dropOlder(than: number): number[] {
    return this.db.all<{ id: number }>(
      "DELETE FROM upload WHERE touched < ? AND (holder IS NULL OR sha256 IS NULL) RETURNING id",
      than,
    ).map((row) => row.id);
  }

  #raise(row: UploadRow, { want, credit, entry }: Claimed & { readonly want: number }): void {
    const more = Math.max(0, want - credit) - Math.max(0, row.want - row.credit);
    const entries = entry - row.entry;
    const { changes } = this.db.run(
      `UPDATE upload SET want = ?2, credit = ?3, entry = ?6, touched = ?4 WHERE id = ?1
       AND (?5 <= 0 OR EXISTS (SELECT 1 FROM account WHERE id = upload.account
         AND (quota IS NULL OR used + reserved + ?5 <= quota)))
       AND (?7 <= 0 OR EXISTS (SELECT 1 FROM account WHERE id = upload.account
         AND (entry_limit IS NULL OR entries < entry_limit)))`,
      row.id,
      want,
      credit,
      Date.now(),
      more,
      entry,
      entries,
    );
    if (changes === 0) throw overQuota(this.db, row.account, more, entries);
  }

  #held(id: number, holder: string): UploadRow {
    const row = this.upload(id);
    if (row?.holder !== holder) throw takenOver();
    return row;
  }
}

/** Returns the bytes that an upload reserves when it begins. */
function wantOf({ size, reserve }: DeclaredUpload, sealed?: Content): number {
  return sealed?.size ?? size ?? reserve ?? 0;
}

/** Returns whether a sum was raised beyond its limit. One that was beyond it before may stay so. */
function passesLimit(before: AccountSums, after: AccountSums): boolean {
  const { bytes, quota, entries, entryLimit } = after;
  return quota !== null && bytes > quota && bytes > before.bytes ||
    entryLimit !== null && entries > entryLimit && entries > before.entries;
}
