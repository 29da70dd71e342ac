/**
 * WebDAV's locks (RFC 4918, section 6), which all workers share and a restart keeps.
 *
 * A lock is on a place, or on a folder and all below it (deep). It ends when its time is over, with its file
 * or folder (`Ledger.rename`, `Ledger.forget`), with its account, or by UNLOCK. session/lock.ts decides who
 * may lock, and what a lock forbids.
 */
import type { Lock } from "../../storage/lock.ts";
import { folderOf, type Place, relative } from "../../storage/place.ts";
import { Table } from "../database/table.ts";
import { below, isBelow } from "./ledger.ts";

type LockRow = Omit<Lock, "shared" | "deep"> & { readonly shared: number; readonly deep: number };

export class Locks extends Table {
  enter({ token, account, dir, name, shared, deep, owner, until }: Lock): void {
    const row = { token, account, dir, name, shared: +shared, deep: +deep, owner, until };
    this.db.insert("lock", row);
  }

  /** Returns a lock that has not expired. */
  find(token: string): Lock | undefined {
    return this.#select("token = ?", token)[0];
  }

  /** Returns the locks on a place itself, and the deep ones on the folders above it. */
  over(place: Place): Lock[] {
    const locks = this.on(place);
    for (let at = place; at.dir !== "";) {
      at = folderOf(at);
      locks.push(...this.on(at).filter((lock) => lock.deep));
    }
    return locks;
  }

  /** Returns the locks on a place itself. */
  on({ dir, name }: Place): Lock[] {
    return this.#select("dir = ? AND name = ?", dir, name);
  }

  /** Returns the locks on everything below a folder. */
  below(place: Place): Lock[] {
    return this.#select(isBelow, ...below(place));
  }

  /** Returns the locks on what is directly in a folder. */
  in(place: Place): Lock[] {
    return this.#select("dir = ?", relative(place));
  }

  /** Extends a lock to a time, in ms since 1970. */
  extend(token: string, until: number): void {
    this.db.run("UPDATE lock SET until = ? WHERE token = ?", until, token);
  }

  remove(token: string): void {
    this.db.run("DELETE FROM lock WHERE token = ?", token);
  }

  /** Returns the number of an account's locks. */
  count(account: number): number {
    const sql = "SELECT count(*) FROM lock WHERE account = ? AND until > ?";
    return this.db.value(sql, account, Date.now())!;
  }

  /** Deletes the expired locks. */
  expire(): void {
    this.db.run("DELETE FROM lock WHERE until <= ?", Date.now());
  }

  #select(where: string, ...values: (string | number)[]): Lock[] {
    const sql = `SELECT * FROM lock WHERE until > ? AND ${where}`;
    return this.db.all<LockRow>(sql, Date.now(), ...values)
      .map((row) => ({ ...row, shared: row.shared !== 0, deep: row.deep !== 0 }));
  }
}
