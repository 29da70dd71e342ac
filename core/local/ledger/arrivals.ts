/**
 * Uploads that have arrived whole, many at once: the same rows as `Reservations` keeps one by
 * one, for less. A statement that is the same for all is prepared once, and what is true of all is
 * asked once, when all are there.
 */
import { BargeError } from "../../error.ts";
import { maxPartialUploads, partialUploads } from "../database/bounds.ts";
import type { Database } from "../database/database.ts";
import { claim } from "./claim.ts";
import { Folders } from "./folders.ts";
import type { Ledger, NewFile } from "./ledger.ts";
import type { Declared, Held, Sealed } from "./reservation.ts";

export class Arrivals {
  readonly #db: Database;
  readonly #ledger: Ledger;
  readonly #folders: Folders;

  constructor(db: Database, ledger: Ledger) {
    this.#db = db;
    this.#ledger = ledger;
    this.#folders = new Folders(db);
  }

  /**
   * Reserves room for several uploads of known size at once: all of them, or none.
   *
   * @param uploads each with what has arrived already, as for `Reservations.begin`
   * @throws {BargeError} `over-quota` when there is no room for all, in bytes or in number: to be undone by the caller, who
   *   can try one by one
   */
  begin(uploads: readonly (readonly [Declared, Sealed | undefined])[]): Held[] {
    const touched = Date.now();
    const folders = new Map<string, number | null>();
    const folderOf = (dir: string): number | null => {
      let id = folders.get(dir);
      if (id === undefined) folders.set(dir, id = this.#folders.id(dir) ?? null);
      return id;
    };
    const ids = this.#db.runAll(
      `INSERT INTO upload (account, dir, name, size, want, credit, entry, folder, modified, holder, touched, sha256, verified)
       SELECT ?1, ?2, ?3, ?4, ?4, coalesce(claim, 0), claim IS NULL, ?10, ?5, ?6, ?7, ?8, ?9
       FROM (SELECT ${claim("?1", "?3", "?10")} AS claim)`,
      uploads.map(([{ account, dir, name, size, modified, holder }, sealed]) => {
        const verified = sealed?.verified === false ? 0 : 1;
        const sha256 = sealed?.sha256 ?? null;
        const facts = [account, dir, name, size, modified, holder, touched, sha256, verified];
        return [...facts, folderOf(dir)];
      }),
    );
    const held = uploads.map(([{ account, dir, name, holder }], i) => ({
      ...{ id: ids[i], account, dir, name, holder },
    }));
    for (const account of new Set(held.map(({ account }) => account))) {
      const partial = uploads.some(([one, sealed]) => one.account === account && !sealed);
      const many = `SELECT 1 WHERE ${partialUploads} > ${maxPartialUploads}`;
      if (partial && this.#db.get(many, account)) {
        throw new BargeError("over-quota", "too many of them are not whole");
      }
      const over =
        "SELECT 1 FROM account WHERE id = ? AND (used + reserved > quota OR entries > entry_limit)";
      if (this.#db.get(over, account)) throw new BargeError("over-quota", "not all of them fit");
    }
    return held;
  }

  /** Which of these accounts have uploads that are not sealed? */
  unfinishedOf(accounts: ReadonlySet<number>): Set<number> {
    const sql = "SELECT 1 FROM upload WHERE account = ? AND sha256 IS NULL LIMIT 1";
    return new Set([...accounts].filter((account) => this.#db.get(sql, account)));
  }

  /** They are in place: charges them and frees what they had reserved. */
  settle(files: readonly (readonly [id: number, NewFile])[]): void {
    this.#db.joined(() => {
      const ids = JSON.stringify(files.map(([id]) => id));
      this.#db.run("DELETE FROM upload WHERE id IN (SELECT value FROM json_each(?))", ids);
      this.#ledger.enterAll(files.map(([, file]) => file));
    });
  }

  /** Which of these are still their holders', and to the same paths? */
  stillHeld(uploads: readonly Held[]): Set<Held> {
    const ids = JSON.stringify(uploads.map(({ id }) => id));
    const rows = this.#db.all<Held>(
      `SELECT id, account, dir, name, holder FROM upload
       WHERE id IN (SELECT value FROM json_each(?))`,
      ids,
    );
    const there = new Map(rows.map((row) => [row.id, row]));
    return new Set(uploads.filter(({ id, dir, name, holder }) => {
      const row = there.get(id);
      return row?.holder === holder && row.dir === dir && row.name === name;
    }));
  }
}
