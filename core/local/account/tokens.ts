/**
 * Tokens, which `barge login` keeps in place of the password: `barge_<id>_<secret>`, with 256 random
 * bits in the secret. The database has a verifier of it.
 */
import { randomBytes } from "node:crypto";
import { BargeError } from "../../error.ts";
import { tokenCosts } from "../../protocol/scram.ts";
import { makeVerifier } from "../../protocol/verifier.ts";
import type { Verifier } from "../../protocol/message.ts";
import { listedTokenMs, type Token } from "../../storage/logins.ts";
import { fullScope, type Scope, scopeOf, type ScopeRow, scopeRow } from "../../storage/scope.ts";
import { maxTokens } from "../../storage/bounds.ts";
import { Table } from "../database/table.ts";
import { useIntervalMs } from "../../storage/account_rules.ts";
import { requireAccount } from "./accounts.ts";

const scopeColumns = "access, path, doors, networks, expires";

export class Tokens extends Table {
  /**
   * Issues a token, and drops expired ones: see `LoginStore.issueToken`.
   *
   * @param allowed gets the new id, runs under the write lock and may throw; returns the id of the token with
   *   which the login began, and whose end also ends the new token; null for none
   * @returns the id, and the text, which is not kept
   * @throws {BargeError} `not-found` when the account is gone; `refused` when it has too many
   */
  async issue(
    account: number,
    label: string,
    scope: Scope = fullScope,
    allowed: (id: string) => string | null = () => null,
  ): Promise<{ id: string; token: string }> {
    const id = randomBytes(6).toString("hex");
    const secret = randomBytes(32).toString("base64url");
    const v = await makeVerifier("token", secret);
    this.db.transaction(() => {
      const issued_by = allowed(id);
      requireAccount(this.db, account);
      const created = Date.now();
      this.#dropExpired(account, created - listedTokenMs);
      if (this.#count(account) >= maxTokens) this.#dropExpired(account, created);
      if (this.#count(account) >= maxTokens) {
        throw new BargeError("refused", `the account has ${maxTokens} tokens, as many as it may`, {
          hint: "revoke some: with `barge logout` where they are used, on the page, or have the " +
            "operator run `barge user tokens NAME --revoke ID`",
        });
      }
      const verifier = { salt: v.salt, stored_key: v.storedKey, server_key: v.serverKey };
      const row = { id, account, label: label.slice(0, 200), created, issued_by };
      this.db.insert("token", { ...row, ...verifier, ...scopeRow(scope) });
    });
    return { id, token: `barge_${id}_${secret}` };
  }

  #count(account: number): number {
    return this.db.value("SELECT count(*) FROM token WHERE account = ?", account)!;
  }

  /** Drops the tokens of an account that had expired at a time, in ms since 1970. */
  #dropExpired(account: number, at: number): void {
    this.db.run("DELETE FROM token WHERE account = ? AND expires <= ?", account, at);
  }

  /** Returns an account's tokens, the oldest first. */
  list(account: number): Token[] {
    type Row = ScopeRow & Omit<Token, "expired">;
    const sql = `SELECT id, label, created, used, used_from AS usedFrom, ${scopeColumns}
      FROM token WHERE account = ? ORDER BY created, id`;
    const now = Date.now();
    return this.db.all<Row>(sql, account).map((row) => {
      const { id, label, created, used, usedFrom } = row;
      return { id, label, created, used, usedFrom, ...scopeOf(row), expired: hasExpired(row, now) };
    });
  }

  /** Returns the account, the verifier and the scope of a token. */
  find(
    id: string,
  ): { account: number; verifier: Verifier; scope: Scope; expired: boolean } | undefined {
    const row = this.db.get<{ account: number } & Verifier & ScopeRow>(
      `SELECT account, salt, stored_key AS storedKey, server_key AS serverKey, ${scopeColumns}
       FROM token WHERE id = ?`,
      id,
    );
    if (!row) return undefined;
    const { account, salt, storedKey, serverKey } = row;
    const verifier = { salt, ...tokenCosts, storedKey, serverKey };
    return { account, verifier, scope: scopeOf(row), expired: hasExpired(row, Date.now()) };
  }

  /** Records a login with a token from an address, at most once a minute. */
  touch(id: string, address: string): void {
    const now = Date.now();
    const due = "SELECT 1 FROM token WHERE id = ? AND coalesce(used, 0) < ?";
    if (!this.db.get(due, id, now - useIntervalMs)) return;
    const sql = "UPDATE token SET used = ?, used_from = ? WHERE id = ?";
    this.db.bestEffort(() => this.db.run(sql, now, address, id));
  }

  /** Ends a token, its logins, and the tokens issued in these logins. @returns whether the account had it */
  revoke(account: number, id: string): boolean {
    return this.db.run("DELETE FROM token WHERE account = ? AND id = ?", account, id).changes > 0;
  }

  /** Ends all tokens of an account: see `LoginStore.revokeTokens`. */
  revokeAll(account: number): string[] {
    return this.db.transaction(() => {
      const ids = this.list(account).map(({ id }) => id);
      this.db.run("DELETE FROM token WHERE account = ?", account);
      return ids;
    });
  }
}

function hasExpired({ expires }: ScopeRow, now: number): boolean {
  return expires !== null && expires <= now;
}
