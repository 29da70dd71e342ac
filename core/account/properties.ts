/**
 * Dead properties: what WebDAV clients attach to files and folders (RFC 4918, section 4). They go
 * where their file or folder goes: Ledger.rename and Ledger.forget see to that, in its transaction.
 *
 * They are in nobody's quota, and so have bounds of their own, for each file and for each account.
 */
import { BargeError } from "../error.ts";
import type { Place } from "../vault/place.ts";
import type { Database } from "./database.ts";

/** A property's name, as XML has it. */
export interface PropertyName {
  /** Of the namespace; "" for none. */
  readonly space: string;
  readonly local: string;
}

export interface Property extends PropertyName {
  /** The whole element, with the namespaces that it needs. */
  readonly xml: string;
}

/** What one file or folder, and one account, may have: properties, and characters of XML in them. */
export const bounds = {
  each: { count: 256, size: 128 * 1024 },
  account: { count: 1_000_000, size: 256 * 1024 * 1024 },
} as const;

export class Properties {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** All of a file's or folder's, by name. */
  of({ dir, name }: Place): Property[] {
    return this.#db.all<Property & Record<string, never>>(
      "SELECT space, local, xml FROM property WHERE dir = ? AND name = ? ORDER BY space, local",
      ...[dir, name],
    );
  }

  /** Has anything that is directly in a folder any? */
  anyIn(dir: string): boolean {
    return this.#db.get("SELECT 1 FROM property WHERE dir = ? LIMIT 1", dir) !== undefined;
  }

  /** Sets one. Inside a transaction, and followed by {@link check}. */
  set({ dir, name }: Place, account: number, { space, local, xml }: Property): void {
    this.#db.run(
      `INSERT INTO property (dir, name, space, local, account, xml) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET account = excluded.account, xml = excluded.xml`,
      ...[dir, name, space, local, account, xml],
    );
  }

  /** Removes one, if it is there. */
  remove({ dir, name }: Place, { space, local }: PropertyName): void {
    this.#db.run(
      "DELETE FROM property WHERE dir = ? AND name = ? AND space = ? AND local = ?",
      ...[dir, name, space, local],
    );
  }

  /** A copy gets what the original has, in place of what it had; then {@link check}. */
  copy(from: Place, to: Place, account: number): void {
    this.#db.run("DELETE FROM property WHERE dir = ? AND name = ?", to.dir, to.name);
    this.#db.run(
      `INSERT INTO property (dir, name, space, local, account, xml)
       SELECT ?, ?, space, local, ?, xml FROM property WHERE dir = ? AND name = ?`,
      ...[to.dir, to.name, account, from.dir, from.name],
    );
  }

  /** @throws {BargeError} `no-space` when a file or an account has more than it may */
  check({ dir, name }: Place, account: number): void {
    type Sums = { count: number; size: number };
    const { each, account: all } = bounds;
    const here = this.#db.get<Sums>(
      `SELECT count(*) AS count, coalesce(sum(length(xml)), 0) AS size FROM property
       WHERE dir = ? AND name = ?`,
      ...[dir, name],
    )!;
    if (here.count > each.count || here.size > each.size) {
      throw new BargeError("no-space", `more than ${each.count} properties, or too long ones`);
    }
    const everywhere =
      this.#db.get<Sums>("SELECT * FROM property_sum WHERE account = ?", account) ??
        { count: 0, size: 0 };
    if (everywhere.count > all.count || everywhere.size > all.size) {
      throw new BargeError("no-space", "the account's files have too many properties");
    }
  }
}
