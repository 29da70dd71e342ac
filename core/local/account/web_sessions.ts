/**
 * Logins at the web page. The browser keeps 256 random bits in a cookie; the database their SHA-256,
 * so that who reads it can't be somebody else. Such a secret needs no scrypt: it can't be guessed.
 *
 *   begun -> (seen) -> ended      by its owner, a new password, the account's end, or that of the
 *                  |              token that it began with
 *                  \-> expired    not seen for a week, or a month old
 */
import { createHash, randomBytes } from "node:crypto";
import { BargeError } from "../../error.ts";
import { type WebSession, webSessionIdleMs, webSessionMaxMs } from "../../storage/logins.ts";
import type { Database } from "../database/database.ts";

/** Of one account; the least recently used one goes first. */
const maxWebSessions = 50;
const useNoteIntervalMs = 60_000;

interface Row extends Omit<WebSession, "id"> {
  digest: string;
  account: number;
}

export class WebSessions {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Begins one.
   *
   * @param allowed asked under the write lock: for the id of the token that it begins with, with
   *   which it ends, or null for a password; what it throws is thrown
   * @returns the secret, which can't be had again
   * @throws {BargeError} `not-found` when the account is gone
   */
  begin(
    account: number,
    { agent, address }: Pick<WebSession, "agent" | "address">,
    allowed: () => string | null = () => null,
  ): string {
    const secret = randomBytes(32).toString("base64url");
    const now = Date.now();
    this.#db.transaction(() => {
      this.#expire(now);
      const { changes } = this.#db.run(
        `INSERT INTO web_session (digest, account, agent, address, created, seen, token)
         SELECT ?, id, ?, ?, ?, ?, ? FROM account WHERE id = ?`,
        ...[digestOf(secret), agent.slice(0, 300), address, now, now, allowed(), account],
      );
      if (changes === 0) throw new BargeError("not-found", "the account is gone");
      this.#db.run(
        `DELETE FROM web_session WHERE account = ?1 AND digest NOT IN
         (SELECT digest FROM web_session WHERE account = ?1 ORDER BY seen DESC, created DESC LIMIT ?2)`,
        ...[account, maxWebSessions],
      );
    });
    return secret;
  }

  /** Whose it is. @returns undefined for none, or an expired one */
  find(secret: string): { account: number; id: string; digest: string } | undefined {
    const now = Date.now();
    const digest = digestOf(secret);
    const row = this.#db.get<Row>(
      "SELECT * FROM web_session WHERE digest = ? AND seen > ? AND created > ?",
      ...[digest, now - webSessionIdleMs, now - webSessionMaxMs],
    );
    if (!row) return undefined;
    if (row.seen < now - useNoteIntervalMs) this.#see(digest, now);
    return { account: row.account, id: idOf(digest), digest };
  }

  /** The id of the token that one began with; null for a password. */
  tokenOf(digest: string): string | null {
    const sql = "SELECT token FROM web_session WHERE digest = ?";
    return this.#db.get<{ token: string | null }>(sql, digest)?.token ?? null;
  }

  /** An account's, the newest first. */
  list(account: number): WebSession[] {
    const now = Date.now();
    return this.#db.all<Row>(
      `SELECT * FROM web_session WHERE account = ? AND seen > ? AND created > ?
       ORDER BY seen DESC, created DESC`,
      ...[account, now - webSessionIdleMs, now - webSessionMaxMs],
    ).map(({ digest, agent, address, created, seen }) => ({
      id: idOf(digest),
      agent,
      address,
      created,
      seen,
    }));
  }

  /** @returns whether the account had such a one */
  end(account: number, id: string): boolean {
    return this.#db.run(
      "DELETE FROM web_session WHERE account = ? AND substr(digest, 1, 16) = ?",
      ...[account, id],
    ).changes > 0;
  }

  #see(digest: string, now: number): void {
    const sql = "UPDATE web_session SET seen = ? WHERE digest = ?";
    this.#db.note(() => this.#db.run(sql, now, digest));
  }

  #expire(now: number): void {
    this.#db.run(
      "DELETE FROM web_session WHERE seen <= ? OR created <= ?",
      ...[now - webSessionIdleMs, now - webSessionMaxMs],
    );
  }
}

function digestOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function idOf(digest: string): string {
  return digest.slice(0, 16);
}
