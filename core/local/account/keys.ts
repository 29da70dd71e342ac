/** Public keys of accounts: what an SSH client proves itself with instead of a password. */
import { BargeError } from "../../error.ts";
import { type AuthorizedKey, fingerprintOf, type PublicKey } from "../../storage/public_key.ts";
import { maxKeys } from "../database/bounds.ts";
import type { Database } from "../database/database.ts";

export class Keys {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Gives an account a key.
   *
   * @returns false: it has it already
   * @throws {BargeError} `not-found` when the account is gone; `refused` when it has too many
   */
  add(account: number, { type, blob, comment }: AuthorizedKey): boolean {
    return this.#db.transaction(() => {
      if (!this.#db.get("SELECT 1 FROM account WHERE id = ?", account)) {
        throw new BargeError("not-found", "the account is gone");
      }
      const fingerprint = fingerprintOf(blob);
      const all = this.list(account);
      if (all.some((key) => key.fingerprint === fingerprint)) return false;
      if (all.length >= maxKeys) {
        throw new BargeError("refused", `the account has ${maxKeys} keys, as many as it may`, {
          hint: "remove some: `barge user key remove`",
        });
      }
      const { changes } = this.#db.run(
        `INSERT INTO public_key (account, fingerprint, type, blob, comment, added)
         VALUES (?, ?, ?, ?, ?, ?)`,
        ...[account, fingerprint, type, blob.toBase64(), comment, Date.now()],
      );
      return changes > 0;
    });
  }

  /** An account's keys, oldest first. */
  list(account: number): PublicKey[] {
    const sql = `SELECT fingerprint, type, comment, added, used FROM public_key
      WHERE account = ? ORDER BY added, fingerprint`;
    return this.#db.all<PublicKey>(sql, account).map((key) => ({ ...key }));
  }

  /** @returns the id of the account of that name, if it has that key */
  find(name: string, fingerprint: string): number | undefined {
    const sql = `SELECT public_key.account AS id FROM public_key JOIN account
      ON account.id = public_key.account WHERE account.name = ? AND fingerprint = ?`;
    return this.#db.get<{ id: number }>(sql, name, fingerprint)?.id;
  }

  /** Notes that it was logged in with: at most once a minute, to spare the disk. */
  touch(account: number, fingerprint: string): void {
    const now = Date.now();
    const due = `SELECT 1 FROM public_key
      WHERE account = ? AND fingerprint = ? AND coalesce(used, 0) < ?`;
    if (!this.#db.get(due, account, fingerprint, now - 60_000)) return;
    const sql = "UPDATE public_key SET used = ? WHERE account = ? AND fingerprint = ?";
    this.#db.note(() => this.#db.run(sql, now, account, fingerprint));
  }

  /** @returns whether the account had such a key */
  remove(account: number, fingerprint: string): boolean {
    const sql = "DELETE FROM public_key WHERE account = ? AND fingerprint = ?";
    return this.#db.run(sql, account, fingerprint).changes > 0;
  }
}
