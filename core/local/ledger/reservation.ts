/**
 * Reservations: bytes that uploads under way may still write, until the file is charged.
 *
 *   begin -> (grow)* -> seal -> settle      the file is charged, and the reservation ends
 *        \-> detach -> resume -> ...        cut off: the staged bytes stay reserved
 *        \-> resume -> ...                  taken over: the row has another holder
 *        \-> drop                           given up: the reservation ends
 *
 * Each arrow is one transaction. An unsealed upload may be taken over while its holder writes; the
 * former holder's later steps find another holder in the row, and change nothing.
 *
 * Invariant: for every account, `used + reserved <= quota` and `entries <= entry_limit`, unless the limit
 * was lowered. Only `begin`, `resume`, `grow`, `retarget` and a rename (uploads_at.ts) can raise a sum;
 * each checks it in the same transaction. Triggers keep the sums (schema.ts).
 *
 * An upload that replaces a file of its own account reserves the difference: it has the file's size as
 * `credit`, and is one entry with the file (`entry` 0), so that a full account can replace files. Only one
 * upload to a path has these.
 */
import { BargeError } from "../../error.ts";
import type { AccountSums } from "../../storage/over_quota.ts";
import { type Place, relative } from "../../storage/place.ts";
import type { Content } from "../../storage/uploads.ts";
import { maxPartialUploads } from "../../storage/bounds.ts";
import { isFullOfPartials, partialUploads, tooManyPartials } from "../database/bounds.ts";
import type { Database } from "../database/database.ts";
import { takenOver } from "../vault/fences.ts";
import { accountSums, refusalOf } from "./account_sums.ts";
import { claim, type Claimed, claimOf } from "./claim.ts";
import { Folders } from "./folders.ts";
import type { Ledger, NewFile } from "./ledger.ts";
import { type DeclaredUpload, type HeldUpload, type UploadRow, UploadRows } from "./upload_rows.ts";

/** An upload that begins; `sealed` is the content if all of its bytes have arrived. */
export interface Beginning {
  readonly upload: DeclaredUpload;
  readonly sealed?: Content;
}

const newColumns =
  "account, dir, name, size, want, folder, modified, holder, touched, sha256, verified";
/** Inserts rows of uploads, with their claims. */
const beginSql = `WITH new (${newColumns}) AS (VALUES ROWS)
  INSERT INTO upload (${newColumns}, credit, entry)
  SELECT ${newColumns}, coalesce(claim, 0), claim IS NULL
  FROM (SELECT *, ${claim("new.account", "new.name", "new.folder")} AS claim FROM new)`;

/** The error of a step that would raise a sum of an account beyond its limit. */
class Over extends Error {}

export class Reservations extends UploadRows {
  readonly #ledger: Ledger;
  readonly #folders = new Folders(this.db);

  constructor(db: Database, ledger: Ledger) {
    super(db);
    this.#ledger = ledger;
  }

  /**
   * Reserves room for all of the uploads, or for none. An unsealed one counts as a partial upload.
   *
   * @returns the uploads in their order; their ids name their staged bytes
   * @throws {BargeError} `over-quota`, also beyond the number of partial uploads. The error gives
   *   figures only for a single upload; the caller begins the uploads of a refused batch one by one
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
    const before = new Map(Iterator.from(accounts).map((id) => [id, accountSums(this.db, id)]));
    const touched = Date.now();
    const dirs = new Set(beginnings.map(({ upload }) => upload.dir));
    const folders = new Map(Iterator.from(dirs).map((dir) => [dir, this.#folders.id(dir)]));
    const rows = beginnings.map(({ upload, sealed }) => {
      const { account, dir, name, size, modified, holder } = upload;
      const content = [sealed?.sha256 ?? null, sealed?.verified === false ? 0 : 1];
      const [want, folder] = [wantOf(upload, sealed), folders.get(dir) ?? null];
      return [account, dir, name, size, want, folder, modified, holder, touched, ...content];
    });
    const paths = new Set(beginnings.map(({ upload }) => relative(upload)));
    // Of several uploads to a path only the first has the claim; one statement would give it to all.
    const groups = paths.size === rows.length ? [rows] : rows.map((row) => [row]);
    const ids = groups.flatMap((group) => this.db.insertAll(beginSql, group));
    for (const account of accounts) {
      const partial = beginnings.some(({ upload, sealed }) =>
        upload.account === account && !sealed
      );
      const tooMany = `SELECT 1 WHERE ${partialUploads} > ${maxPartialUploads}`;
      if (partial && this.db.get(tooMany, account)) throw new Over();
      if (passesLimit(before.get(account)!, accountSums(this.db, account))) throw new Over();
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
    const bytes = Math.max(0, wantOf(upload, sealed) - credit);
    return refusalOf(this.db, account, { bytes, entries: entry });
  }

  /**
   * Resumes a partial upload, and reserves room for the rest of it. The former holder may still write; the
   * caller must stop these writes (vault/fences.ts) before it uses the staged bytes.
   *
   * @returns the new row; undefined when the upload is sealed or gone
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
      const sql = "UPDATE upload SET size = ?, modified = ?, holder = ?, folder = ? WHERE id = ?";
      this.db.run(sql, size, modified, holder, folder, id);
      return this.upload(id);
    });
  }

  /**
   * Reserves more for an upload of unknown size.
   *
   * @param want all bytes that it needs
   * @throws {BargeError} `over-quota`; `unavailable` when the upload was taken over or is gone
   */
  grow(id: number, holder: string, want: number): void {
    this.db.transaction(() => {
      const row = this.#held(id, holder);
      this.#raise(row, { ...row, want }, true);
    });
  }

  /**
   * Moves an upload to another place, with the claim on the file there.
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
   * Records the content that is about to be renamed into place. After a crash, missing staged bytes
   * show that the rename happened.
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

  /** Charges the files that sealed uploads have become, and ends the reservations. */
  settle(files: readonly (readonly [upload: number, NewFile])[]): void {
    this.db.joined(() => {
      const ids = JSON.stringify(files.map(([id]) => id));
      this.db.run("DELETE FROM upload WHERE id IN (SELECT value FROM json_each(?))", ids);
      this.#ledger.enterAll(files.map(([, file]) => file));
    });
  }

  /**
   * Ends the hold on an upload that was cut off, and reserves only the staged bytes. Drops the upload if the
   * account has another upload to the path, or too many partial uploads. Changes nothing if the upload was
   * taken over.
   *
   * @param staged staged bytes that can be resumed
   * @param gaps whether more bytes are staged, behind a gap
   * @param empty keeps an upload without staged bytes, too
   * @returns whether the staged bytes belong to an upload; if not, the caller deletes them
   */
  detach(id: number, holder: string, staged: number, gaps = false, empty = false): boolean {
    return this.db.transaction(() => {
      const row = this.upload(id);
      if (!row) return false;
      if (row.holder !== holder) return true;
      const others = "SELECT 1 FROM upload WHERE account = ? AND dir = ? AND name = ? AND id <> ?";
      const other = this.db.get(others, row.account, row.dir, row.name, id);
      // A sealed upload becomes a partial one now.
      const full = row.sha256 !== null && isFullOfPartials(this.db, row.account);
      if (other || full || staged === 0 && !empty) {
        this.drop(id);
        return false;
      }
      this.touch(id, holder);
      this.release(id, staged, gaps ? staged : null);
      return true;
    });
  }

  /** Ends the hold on an upload after a crash. @param staged the number of its staged bytes */
  release(id: number, staged: number, whole: number | null = null): void {
    const sql = `UPDATE upload SET holder = NULL, sha256 = NULL, whole = ?, want = min(want, ?)
      WHERE id = ?`;
    this.db.run(sql, whole, staged, id);
  }

  /** Drops an upload. @returns whether it still had this holder; the caller then deletes its bytes */
  drop(id: number, holder?: string): boolean {
    const sql = "DELETE FROM upload WHERE id = ?1 AND (?2 IS NULL OR holder = ?2)";
    return this.db.run(sql, id, holder ?? null).changes > 0;
  }

  /**
   * Drops the uploads without a byte since a time, in ms since 1970, whether or not they have a holder.
   * Keeps sealed ones with a holder, which may be files already.
   *
   * @returns their ids
   */
  dropOlder(than: number): number[] {
    const sql =
      "DELETE FROM upload WHERE touched < ? AND (holder IS NULL OR sha256 IS NULL) RETURNING id";
    return this.db.all<{ id: number }>(sql, than).map(({ id }) => id);
  }

  /** @param grows whether its size is unknown, so that `want` is only its size up to now */
  #raise(
    row: UploadRow,
    { want, credit, entry }: Claimed & { readonly want: number },
    grows = false,
  ): void {
    const [bytes, reserved] = [Math.max(0, want - credit), Math.max(0, row.want - row.credit)];
    const more = bytes - reserved;
    const entries = entry - row.entry;
    const sql = `UPDATE upload SET want = ?2, credit = ?3, entry = ?6, touched = ?4 WHERE id = ?1
       AND (?5 <= 0 OR EXISTS (SELECT 1 FROM account WHERE id = upload.account
         AND (quota IS NULL OR used + reserved + ?5 <= quota)))
       AND (?7 <= 0 OR EXISTS (SELECT 1 FROM account WHERE id = upload.account
         AND (entry_limit IS NULL OR entries < entry_limit)))`;
    const { changes } = this.db.run(sql, row.id, want, credit, Date.now(), more, entry, entries);
    if (changes > 0) return;
    const need = { bytes, entries, reserved, credit: grows ? credit : undefined };
    throw refusalOf(this.db, row.account, need);
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

/** Returns whether a sum was raised beyond its limit. It may stay beyond a limit that was lowered. */
function passesLimit(before: AccountSums, after: AccountSums): boolean {
  const { quota, entries, entryLimit } = after;
  const bytes = after.used + after.reserved;
  return quota !== null && bytes > quota && bytes > before.used + before.reserved ||
    entryLimit !== null && entries > entryLimit && entries > before.entries;
}
