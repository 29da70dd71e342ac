/**
 * Dead properties: what WebDAV clients attach to files and folders (RFC 4918, section 4). They go
 * where their file or folder goes: Ledger.rename and Ledger.forget see to that, in its transaction.
 *
 * They are in nobody's quota, and so have bounds of their own, for each file and for each account.
 */
import { Buffer } from "node:buffer";
import { BargeError } from "../../error.ts";
import { type Place, relative } from "../../storage/place.ts";
import type { Property, PropertyName } from "../../storage/properties.ts";
import { propertyBounds } from "../database/bounds.ts";
import type { Database } from "../database/database.ts";
import { below } from "./ledger.ts";

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

  /**
   * Checks before a rename that an account's properties, whose rows hold the path, have room for a longer one.
   *
   * @throws {BargeError} `over-quota`
   */
  checkRename(from: Place, to: Place, account: number): void {
    const octets = (place: Place) => Buffer.byteLength(relative(place));
    const longer = octets(to) - octets(from);
    if (longer <= 0) return;
    const { octets: most } = propertyBounds.account;
    const sums = this.#db.get<{ count: number; size: number }>(
      "SELECT count, size FROM property_sum WHERE account = ?",
      account,
    );
    if (!sums || sums.size + sums.count * longer <= most) return; // wherever they are
    const [dir, low, high] = below(from);
    const { count } = this.#db.get<{ count: number }>(
      `SELECT count(*) AS count FROM property WHERE account = ?1
       AND ((dir = ?2 AND name = ?3) OR dir = ?4 OR (dir >= ?5 AND dir < ?6))`,
      ...[account, from.dir, from.name, dir, low, high],
    )!;
    if (sums.size + count * longer > most) throw tooManyProperties();
  }

  /** Octets in all columns of an account's properties, as the table's triggers count them. */
  octets(account: number): number {
    const sql = "SELECT size FROM property_sum WHERE account = ?";
    return this.#db.get<{ size: number }>(sql, account)?.size ?? 0;
  }

  /** @throws {BargeError} `over-quota` when a file or an account has more than it may */
  check({ dir, name }: Place, account: number): void {
    type Sums = { count: number; size: number };
    const { each, account: all } = propertyBounds;
    const here = this.#db.get<Sums>(
      `SELECT count(*) AS count, coalesce(sum(octets), 0) AS size FROM property_size
       WHERE dir = ? AND name = ?`,
      ...[dir, name],
    )!;
    if (here.count > each.count || here.size > each.octets) {
      throw new BargeError(
        "over-quota",
        `a file or folder has at most ${each.count} properties, and ${each.octets} bytes in them`,
        { hint: "remove some of its properties, or shorten them" },
      );
    }
    const everywhere =
      this.#db.get<Sums>("SELECT * FROM property_sum WHERE account = ?", account) ??
        { count: 0, size: 0 };
    if (everywhere.count > all.count || everywhere.size > all.octets) throw tooManyProperties();
  }
}

/** The refusal where an account has more properties than it may, or longer ones. */
export function tooManyProperties(): BargeError {
  const { count, octets } = propertyBounds.account;
  const why = `an account's files have at most ${count} properties, and ${octets} bytes in them`;
  return new BargeError("over-quota", why, {
    hint: "remove properties, or files and folders that have some",
  });
}
