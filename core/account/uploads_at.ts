/**
 * The uploads to a path, or into and below a folder, when that is removed or moved.
 *
 * An upload needs its folder. When the folder is removed, all uploads into it end: their rows go in
 * the same transaction, and with them what they had reserved. When it is moved, they follow it
 * (`Ledger.rename`), but for those that come into a home where their account can't reach them.
 */
import type { Place } from "../vault/place.ts";
import type { Database } from "./database.ts";
import { below } from "./ledger.ts";
import { staleAfter } from "./reservation.ts";

export class UploadsAt {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Drops an account's uploads to a path that nobody writes now.
   *
   * @returns their ids: their staged bytes are to go
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

  /** Drops all uploads into and below a folder that is removed, whoever writes them. @returns their ids */
  dropBelow(folder: Place): number[] {
    return ids(this.#db.all<Numbered>(
      "DELETE FROM upload WHERE dir = ? OR (dir >= ? AND dir < ?) RETURNING id",
      ...below(folder),
    ));
  }

  /**
   * Drops the uploads into and below a folder that has come into a home, but for those of the account
   * whose home it is: the others can't reach it any more.
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
