/**
 * Tokens: what `barge login` keeps instead of a password. 256 random bits, of which only a verifier
 * is stored; the text is `barge_<id>_<secret>`.
 */
import { randomBytes } from "node:crypto";
import { BargeError } from "../../error.ts";
import { tokenCosts } from "../../protocol/scram.ts";
import { makeVerifier } from "../../protocol/verifier.ts";
import type { Verifier } from "../../protocol/message.ts";
import type { Token } from "../../storage/logins.ts";
import { maxTokens } from "../database/bounds.ts";
import type { Database } from "../database/database.ts";

interface Row {
  id: string;
  account: number;
  label: string;
  salt: string;
  stored_key: string;
  server_key: string;
  created: number;
  used: number | null;
}

export class Tokens {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Makes one.
   *
   * @param allowed asked under the write lock: for the id of the token that has it issued, with
   *   which it ends, or null for none; what it throws is thrown
   * @returns its id, and the text that can't be had again
   * @throws {BargeError} `not-found` when the account is gone; `refused` when it has too many
   */
  async issue(
    account: number,
    label: string,
    allowed: () => string | null = () => null,
  ): Promise<{ id: string; token: string }> {
    const id = randomBytes(6).toString("hex");
    const secret = randomBytes(32).toString("base64url");
    const v = await makeVerifier("token", secret);
    const { changes } = this.#db.transaction(() =>
      this.#db.run(
        `INSERT INTO token (id, account, label, salt, stored_key, server_key, created, issued_by)
         SELECT ?1, id, ?2, ?3, ?4, ?5, ?6, ?7 FROM account
         WHERE id = ?8 AND (SELECT count(*) FROM token WHERE account = ?8) < ${maxTokens}`,
        ...[id, label.slice(0, 200), v.salt, v.storedKey, v.serverKey, Date.now(), allowed()],
        account,
      )
    );
    if (changes === 0) throw this.#notIssued(account);
    return { id, token: `barge_${id}_${secret}` };
  }

  /** An account's tokens, oldest first. */
  list(account: number): Token[] {
    return this.#db.all<Row>("SELECT * FROM token WHERE account = ? ORDER BY created, id", account)
      .map(({ id, label, created, used }) => ({ id, label, created, used }));
  }

  /** Whose it is, and what is kept of it. */
  find(id: string): { account: number; verifier: Verifier } | undefined {
    const row = this.#db.get<Row>("SELECT * FROM token WHERE id = ?", id);
    if (!row) return undefined;
    const { salt, stored_key: storedKey, server_key: serverKey } = row;
    return { account: row.account, verifier: { salt, ...tokenCosts, storedKey, serverKey } };
  }

  /** Notes that it was logged in with: at most once a minute, to spare the disk. */
  touch(id: string): void {
    const now = Date.now();
    const due = "SELECT 1 FROM token WHERE id = ? AND coalesce(used, 0) < ?";
    if (!this.#db.get(due, id, now - 60_000)) return;
    this.#db.note(() => this.#db.run("UPDATE token SET used = ? WHERE id = ?", now, id));
  }

  #notIssued(account: number): BargeError {
    if (!this.#db.get("SELECT 1 FROM account WHERE id = ?", account)) {
      return new BargeError("not-found", "the account is gone");
    }
    return new BargeError("refused", `the account has ${maxTokens} tokens, as many as it may`, {
      hint: "revoke some: with `barge logout` where they are used, on the page, or have the " +
        "operator run `barge user tokens NAME --revoke ID`",
    });
  }

  /**
   * Ends a token, the logins that began with it, and the tokens that those have issued.
   *
   * @returns whether the account had such a token
   */
  revoke(account: number, id: string): boolean {
    return this.#db.run("DELETE FROM token WHERE account = ? AND id = ?", account, id).changes > 0;
  }
}
