/**
 * The uploads to a path, or into and below a folder, when that is removed or moved.
 *
 * An upload needs its folder. When the folder is removed, all uploads into it end: the same
 * transaction removes their rows, and thus their reservations. When it is moved, they follow it
 * (`Ledger.rename`), except into a home that their account can't reach.
 */
import { BargeError } from "../../error.ts";
import type { Place } from "../../storage/place.ts";
import type { Database } from "../database/database.ts";
import { below } from "./ledger.ts";
import { staleAfter, type UploadRow } from "./upload_rows.ts";

export class UploadsAt {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Drops an account's uploads to a path that nobody writes now.
   *
   * @returns their ids; the caller deletes their staged bytes
   */
  dropIdle(account: number, { dir, name }: Place): number[] {
    return ids(this.#db.all<Numbered>(
      `DELETE FROM upload WHERE account = ? AND dir = ? AND name = ?
       AND (holder IS NULL OR touched < ?) RETURNING id`,
      ...[account, dir, name, Date.now() - staleAfter],
    ));
  }

  /** Drops an account's uploads to a path, also those that are being written. @returns their ids */
  drop(account: number, { dir, name }: Place): number[] {
    return ids(this.#db.all<Numbered>(
      "DELETE FROM upload WHERE account = ? AND dir = ? AND name = ? RETURNING id",
      ...[account, dir, name],
    ));
  }

  /** Drops all of an account's uploads, whoever writes them. @returns their ids */
  dropOf(account: number): number[] {
    const sql = "DELETE FROM upload WHERE account = ? RETURNING id";
    return ids(this.#db.all<Numbered>(sql, account));
  }

  /** Drops all uploads into and below a folder that is removed, whoever writes them. @returns their ids */
  dropBelow(folder: Place): number[] {
    return ids(this.#db.all<Numbered>(
      "DELETE FROM upload WHERE dir = ? OR (dir >= ? AND dir < ?) RETURNING id",
      ...below(folder),
    ));
  }

  /**
   * Drops the uploads into and below a folder that was moved into a home, except those of the
   * account of the home: the others can't reach it any more.
   *
   * @returns their ids
   */
  dropStrangers(folder: Place, home: string): number[] {
    return ids(this.#db.all<Numbered>(
      `DELETE FROM upload WHERE (dir = ? OR (dir >= ? AND dir < ?))
       AND account <> (SELECT id FROM account WHERE name = ?) RETURNING id`,
      ...[...below(folder), home],
    ));
  }

  /**
   * Prepares the move of a file away from a path. An upload that was to replace the file needs room
   * and an entry beside it now. An upload without them is dropped if nobody writes it.
   *
   * @returns the id of the dropped upload, whose staged bytes are to go
   * @throws {BargeError} `over-quota` where somebody writes it
   */
  uncredit({ dir, name }: Place): number | undefined {
    const row = this.#db.get<UploadRow & { room: number | null; full: number; owner: string }>(
      `SELECT upload.*, quota - used - reserved AS room, account.name AS owner,
         coalesce(entries >= entry_limit, 0) AS full
       FROM upload JOIN account ON account.id = upload.account
       WHERE dir = ? AND upload.name = ? AND entry = 0`,
      ...[dir, name],
    );
    if (!row) return undefined;
    const needs = row.want - Math.max(0, row.want - row.credit);
    if (!row.full && (row.room === null || needs <= row.room)) return undefined;
    if (!row.holder) {
      this.#db.run("DELETE FROM upload WHERE id = ?", row.id);
      return row.id;
    }
    throw new BargeError(
      "over-quota",
      "an upload under way is to replace it, and needs its room or its entry",
      {
        account: row.owner,
        hint: "try again when that has ended",
      },
    );
  }

  /** The ids of the uploads into and below a folder that are being written. */
  heldBelow(folder: Place): number[] {
    return ids(this.#db.all<Numbered>(
      "SELECT id FROM upload WHERE holder IS NOT NULL AND (dir = ? OR (dir >= ? AND dir < ?))",
      ...below(folder),
    ));
  }
}

type Numbered = { id: number };

function ids(rows: readonly Numbered[]): number[] {
  return rows.map(({ id }) => id);
}
