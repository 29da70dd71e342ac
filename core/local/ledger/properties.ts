/**
 * Dead properties, which WebDAV clients attach to files and folders (RFC 4918, section 4). `Ledger.rename`
 * and `Ledger.forget` move and delete them with their file or folder. They do not count against the quota,
 * and so have bounds of their own, for each file and each account.
 */
import { Buffer } from "node:buffer";
import { BargeError } from "../../error.ts";
import { type Place, relative } from "../../storage/place.ts";
import type { Property, PropertyName } from "../../storage/properties.ts";
import { propertyBounds } from "../../storage/bounds.ts";
import { Table } from "../database/table.ts";
import { below, isBelow } from "./ledger.ts";

interface Sums {
  readonly count: number;
  /** Octets of UTF-8 in all columns. */
  readonly size: number;
}

export class Properties extends Table {
  /** Returns the properties of a file or folder, by name. */
  of({ dir, name }: Place): Property[] {
    const sql =
      "SELECT space, local, xml FROM property WHERE dir = ? AND name = ? ORDER BY space, local";
    return this.db.all(sql, dir, name);
  }

  /** Returns whether anything directly in a folder has a property. */
  anyIn(dir: string): boolean {
    return this.db.get("SELECT 1 FROM property WHERE dir = ? LIMIT 1", dir) !== undefined;
  }

  /** Sets a property. Inside a transaction; the caller calls {@link check} before its end. */
  set({ dir, name }: Place, account: number, { space, local, xml }: Property): void {
    this.db.upsert("property", { dir, name, space, local }, { account, xml });
  }

  remove({ dir, name }: Place, { space, local }: PropertyName): void {
    const sql = "DELETE FROM property WHERE dir = ? AND name = ? AND space = ? AND local = ?";
    this.db.run(sql, dir, name, space, local);
  }

  /** Replaces the properties of a copy by those of the original. Otherwise as {@link set}. */
  copy(from: Place, to: Place, account: number): void {
    this.db.run("DELETE FROM property WHERE dir = ? AND name = ?", to.dir, to.name);
    const sql = `INSERT INTO property (dir, name, space, local, account, xml)
       SELECT ?, ?, space, local, ?, xml FROM property WHERE dir = ? AND name = ?`;
    this.db.run(sql, to.dir, to.name, account, from.dir, from.name);
  }

  /**
   * Checks before a rename that an account's properties, whose rows hold the path, may grow with it.
   *
   * @throws {BargeError} `over-quota`
   */
  checkRename(from: Place, to: Place, account: number): void {
    const octets = (place: Place) => Buffer.byteLength(relative(place));
    const longer = octets(to) - octets(from);
    if (longer <= 0) return;
    const { octets: maxOctets } = propertyBounds.account;
    const sums = this.#sums(account);
    if (sums.size + sums.count * longer <= maxOctets) return; // even if all of them moved
    const sql = `SELECT count(*) FROM property
      WHERE account = ? AND ((dir = ? AND name = ?) OR ${isBelow})`;
    const count = this.db.value<number>(sql, account, from.dir, from.name, ...below(from))!;
    if (sums.size + count * longer > maxOctets) throw tooManyProperties();
  }

  /** Returns the octets in all columns of an account's properties. */
  octets(account: number): number {
    return this.#sums(account).size;
  }

  /** Returns the sums that the table's triggers keep. */
  #sums(account: number): Sums {
    const sql = "SELECT count, size FROM property_sum WHERE account = ?";
    return this.db.get<Sums>(sql, account) ?? { count: 0, size: 0 };
  }

  /** Checks the bounds. @throws {BargeError} `over-quota` when a file or an account has too many properties */
  check({ dir, name }: Place, account: number): void {
    const { each, account: all } = propertyBounds;
    const sql = `SELECT count(*) AS count, coalesce(sum(octets), 0) AS size FROM property_size
       WHERE dir = ? AND name = ?`;
    const here = this.db.get<Sums>(sql, dir, name)!;
    if (here.count > each.count || here.size > each.octets) {
      throw new BargeError(
        "over-quota",
        `a file or folder has at most ${each.count} properties, and ${each.octets} bytes in them`,
        { hint: "remove some of its properties, or shorten them" },
      );
    }
    const { count, size } = this.#sums(account);
    if (count > all.count || size > all.octets) throw tooManyProperties();
  }
}

/** Returns the refusal of an account whose properties are too many or too long. */
function tooManyProperties(): BargeError {
  const { count, octets } = propertyBounds.account;
  const why = `an account's files have at most ${count} properties, and ${octets} bytes in them`;
  return new BargeError("over-quota", why, {
    hint: "remove properties, or files and folders that have some",
  });
}
