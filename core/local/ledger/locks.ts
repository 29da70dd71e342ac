/**
 * WebDAV's locks (RFC 4918, section 6), kept here so that every worker sees them, and a restart
 * keeps them.
 *
 * A lock is on a place, or on a folder and all below it (deep). It ends with its time, with its
 * file or folder (Ledger.rename and Ledger.forget see to that), with its account, or by UNLOCK. Who
 * may lock what, and what a lock forbids, is decided in session/lock.ts.
 */
import type { Lock } from "../../storage/lock.ts";
import { type Place, relative } from "../../storage/place.ts";
import type { Database } from "../database/database.ts";
import { below } from "./ledger.ts";

type LockRow = Omit<Lock, "shared" | "deep"> & { readonly shared: number; readonly deep: number };

export class Locks {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Enters a new one. */
  enter({ token, account, dir, name, shared, deep, owner, until }: Lock): void {
    this.#db.run(
      `INSERT INTO lock (token, account, dir, name, shared, deep, owner, until)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[token, account, dir, name, Number(shared), Number(deep), owner, until],
    );
  }

  /** @returns undefined for one that is over */
  find(token: string): Lock | undefined {
    return this.#select("token = ?", token)[0];
  }

  /** Those on a place itself, and the deep ones on the folders that it is in. */
  over(place: Place): Lock[] {
    const found = this.on(place);
    let { dir } = place;
    while (dir !== "") {
      const cut = dir.lastIndexOf("/");
      const folder = { dir: dir.slice(0, Math.max(0, cut)), name: dir.slice(cut + 1) };
      found.push(...this.on(folder).filter((lock) => lock.deep));
      dir = folder.dir;
    }
    return found;
  }

  /** Those on a place itself. */
  on({ dir, name }: Place): Lock[] {
    return this.#select("dir = ? AND name = ?", dir, name);
  }

  /** Those on what is in a folder, also further below. */
  below(place: Place): Lock[] {
    const [dir, low, high] = below(place);
    return this.#select("(dir = ? OR (dir >= ? AND dir < ?))", dir, low, high);
  }

  /** Those on what is directly in a folder. */
  in(place: Place): Lock[] {
    return this.#select("dir = ?", relative(place));
  }

  /** Gives one more time. */
  extend(token: string, until: number): void {
    this.#db.run("UPDATE lock SET until = ? WHERE token = ?", until, token);
  }

  remove(token: string): void {
    this.#db.run("DELETE FROM lock WHERE token = ?", token);
  }

  /** How many an account has. */
  count(account: number): number {
    const sql = "SELECT count(*) AS n FROM lock WHERE account = ? AND until > ?";
    return this.#db.get<{ n: number }>(sql, account, Date.now())!.n;
  }

  /** Forgets those that are over. */
  expire(): void {
    this.#db.run("DELETE FROM lock WHERE until <= ?", Date.now());
  }

  #select(where: string, ...values: (string | number)[]): Lock[] {
    const sql = `SELECT * FROM lock WHERE until > ? AND ${where}`;
    return this.#db.all<LockRow>(sql, Date.now(), ...values)
      .map((row) => ({ ...row, shared: row.shared !== 0, deep: row.deep !== 0 }));
  }
}
