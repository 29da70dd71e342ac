/**
 * The uploads to a path, or below a folder, when the file or folder is removed or moved.
 *
 * An upload needs its folder. When the folder is removed, the same transaction removes the rows of the
 * uploads into it, and so their reservations. When it is moved, they follow it (`Ledger.rename`), except
 * into a home that their account can't reach.
 */
import { BargeError } from "../../error.ts";
import type { Place } from "../../storage/place.ts";
import { Table } from "../database/table.ts";
import { below, isBelow } from "./ledger.ts";
import { staleAfterMs, type UploadRow } from "./upload_rows.ts";

export class UploadsAt extends Table {
  /**
   * Drops an account's uploads to a path that nobody writes.
   *
   * @returns their ids, as all methods here do; the caller deletes the staged bytes
   */
  dropIdle(account: number, { dir, name }: Place): number[] {
    const idle = "account = ? AND dir = ? AND name = ? AND (holder IS NULL OR touched < ?)";
    return this.#drop(idle, account, dir, name, Date.now() - staleAfterMs);
  }

  /** Drops an account's uploads to a path, also those that are being written. */
  drop(account: number, { dir, name }: Place): number[] {
    return this.#drop("account = ? AND dir = ? AND name = ?", account, dir, name);
  }

  /** Drops all of an account's uploads, also those that are being written. */
  dropOf(account: number): number[] {
    return this.#drop("account = ?", account);
  }

  /** Drops all uploads below a removed folder, also those that are being written. */
  dropBelow(folder: Place): number[] {
    return this.#drop(isBelow, ...below(folder));
  }

  /**
   * Drops the uploads below a folder that was moved into a home, except those of the home's account,
   * which alone can reach them.
   */
  dropStrangers(folder: Place, home: string): number[] {
    const strangers = `${isBelow} AND account <> (SELECT id FROM account WHERE name = ?)`;
    return this.#drop(strangers, ...below(folder), home);
  }

  /** Returns the ids of the uploads below a folder that are being written. */
  heldBelow(folder: Place): number[] {
    const sql = `SELECT id FROM upload WHERE holder IS NOT NULL AND ${isBelow}`;
    return this.db.all<{ id: number }>(sql, ...below(folder)).map(({ id }) => id);
  }

  /**
   * Prepares the move of a file away from a path. An upload that would have replaced the file needs room
   * and an entry of its own now. If the account lacks them, the upload is dropped, unless it is being
   * written.
   *
   * @returns the id of the dropped upload; the caller deletes its staged bytes
   * @throws {BargeError} `over-quota` when it is being written
   */
  uncredit({ dir, name }: Place): number | undefined {
    const sql = `SELECT upload.*, quota - used - reserved AS room, account.name AS owner,
         coalesce(entries >= entry_limit, 0) AS full
       FROM upload JOIN account ON account.id = upload.account
       WHERE dir = ? AND upload.name = ? AND entry = 0`;
    const row = this.db.get<UploadRow & { room: number | null; full: number; owner: string }>(
      sql,
      dir,
      name,
    );
    if (!row) return undefined;
    const needs = row.want - Math.max(0, row.want - row.credit);
    if (!row.full && (row.room === null || needs <= row.room)) return undefined;
    if (!row.holder) return this.#drop("id = ?", row.id)[0];
    const why = "an upload under way will replace it, and the quota has no room for both";
    const hint = "try again when that has ended";
    throw new BargeError("over-quota", why, { account: row.owner, hint });
  }

  #drop(where: string, ...values: (string | number)[]): number[] {
    const sql = `DELETE FROM upload WHERE ${where} RETURNING id`;
    return this.db.all<{ id: number }>(sql, ...values).map(({ id }) => id);
  }
}
