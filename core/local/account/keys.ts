/** Public keys of accounts, with which SSH clients log in. */
import { BargeError } from "../../error.ts";
import { type AuthorizedKey, fingerprintOf, type PublicKey } from "../../storage/public_key.ts";
import { maxKeys } from "../../storage/bounds.ts";
import { Table } from "../database/table.ts";
import { useIntervalMs } from "../../storage/account_rules.ts";
import { requireAccount } from "./accounts.ts";

export class Keys extends Table {
  /**
   * Adds a key to an account.
   *
   * @returns false when the account has it already
   * @throws {BargeError} `not-found` when the account is gone; `refused` when it has too many
   */
  add(account: number, { type, blob, comment }: AuthorizedKey): boolean {
    return this.db.transaction(() => {
      requireAccount(this.db, account);
      const fingerprint = fingerprintOf(blob);
      const existing = this.list(account);
      if (existing.some((key) => key.fingerprint === fingerprint)) return false;
      if (existing.length >= maxKeys) {
        throw new BargeError("refused", `the account has ${maxKeys} keys, as many as it may`, {
          hint: "remove some: `barge user key remove`",
        });
      }
      const row = { account, fingerprint, type, blob: blob.toBase64(), comment, added: Date.now() };
      this.db.insert("public_key", row);
      return true;
    });
  }

  /** Returns an account's keys, the oldest first. */
  list(account: number): PublicKey[] {
    const sql = `SELECT fingerprint, type, comment, added, used FROM public_key
      WHERE account = ? ORDER BY added, fingerprint`;
    return this.db.all<PublicKey>(sql, account).map((key) => ({ ...key }));
  }

  /** Returns the id of the account of that name, if it has the key. */
  find(name: string, fingerprint: string): number | undefined {
    const sql = `SELECT account.id FROM public_key JOIN account ON account.id = public_key.account
      WHERE account.name = ? AND fingerprint = ?`;
    return this.db.value(sql, name, fingerprint);
  }

  /** Records a login with a key, at most once a minute. */
  touch(account: number, fingerprint: string): void {
    const now = Date.now();
    const due = `SELECT 1 FROM public_key
      WHERE account = ? AND fingerprint = ? AND coalesce(used, 0) < ?`;
    if (!this.db.get(due, account, fingerprint, now - useIntervalMs)) return;
    const sql = "UPDATE public_key SET used = ? WHERE account = ? AND fingerprint = ?";
    this.db.bestEffort(() => this.db.run(sql, now, account, fingerprint));
  }

  /** Removes a key. @returns whether the account had it */
  remove(account: number, fingerprint: string): boolean {
    const sql = "DELETE FROM public_key WHERE account = ? AND fingerprint = ?";
    return this.db.run(sql, account, fingerprint).changes > 0;
  }
}
