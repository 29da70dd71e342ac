/**
 * Logins at the web page. The browser keeps 256 random bits in a cookie. The database has their
 * SHA-256, with which nobody can log in. A slow hash is not needed, since the bits can't be guessed.
 *
 * A session ends by its owner, by a new password, with its account or the token that it began with,
 * after a week without use, or after a month.
 */
import { createHash, randomBytes } from "node:crypto";
import { type WebSession, webSessionIdleMs, webSessionMaxMs } from "../../storage/logins.ts";
import { Table } from "../database/table.ts";
import { useIntervalMs } from "../../storage/account_rules.ts";
import { requireAccount } from "./accounts.ts";

/** Sessions of one account; the least recently used one ends first. */
const maxWebSessions = 50;

/** Parameters: those of {@link expiry}. */
const alive = "seen > ? AND created > ?";
const expiry = (now: number) => [now - webSessionIdleMs, now - webSessionMaxMs];

export class WebSessions extends Table {
  /**
   * Begins a session.
   *
   * @param allowed runs under the write lock and may throw; returns the id of the token that the
   *   session begins with; null for a password
   * @returns the secret, which is not kept
   * @throws {BargeError} `not-found` when the account is gone
   */
  begin(
    account: number,
    { agent, address }: Pick<WebSession, "agent" | "address">,
    allowed: () => string | null = () => null,
  ): string {
    const secret = randomBytes(32).toString("base64url");
    const now = Date.now();
    this.db.transaction(() => {
      this.db.run(`DELETE FROM web_session WHERE NOT (${alive})`, ...expiry(now));
      const token = allowed();
      requireAccount(this.db, account);
      const row = { digest: digestOf(secret), account, agent: agent.slice(0, 300), address, token };
      this.db.insert("web_session", { ...row, created: now, seen: now });
      const sql = `DELETE FROM web_session WHERE account = ?1 AND digest NOT IN
         (SELECT digest FROM web_session WHERE account = ?1 ORDER BY seen DESC, created DESC LIMIT ?2)`;
      this.db.run(sql, account, maxWebSessions);
    });
    return secret;
  }

  /** Returns the session of a secret; undefined for none, or an expired one. */
  find(
    secret: string,
  ): { account: number; id: string; digest: string; token: string | null } | undefined {
    const now = Date.now();
    const digest = digestOf(secret);
    const sql = `SELECT account, seen, token FROM web_session WHERE digest = ? AND ${alive}`;
    type Row = { account: number; seen: number; token: string | null };
    const row = this.db.get<Row>(sql, digest, ...expiry(now));
    if (!row) return undefined;
    if (row.seen < now - useIntervalMs) {
      const sql = "UPDATE web_session SET seen = ? WHERE digest = ?";
      this.db.bestEffort(() => this.db.run(sql, now, digest));
    }
    return { account: row.account, id: digest.slice(0, 16), digest, token: row.token };
  }

  /** Returns the id of the token that a session began with; null for a password. */
  tokenOf(digest: string): string | null {
    return this.db.value("SELECT token FROM web_session WHERE digest = ?", digest) ?? null;
  }

  /** Returns an account's sessions, the newest first. */
  list(account: number): WebSession[] {
    const sql = `SELECT substr(digest, 1, 16) AS id, agent, address, created, seen FROM web_session
       WHERE account = ? AND ${alive} ORDER BY seen DESC, created DESC`;
    return this.db.all<WebSession>(sql, account, ...expiry(Date.now())).map((row) => ({ ...row }));
  }

  /** Ends a session. @returns whether the account had it */
  end(account: number, id: string): boolean {
    const sql = "DELETE FROM web_session WHERE account = ? AND substr(digest, 1, 16) = ?";
    return this.db.run(sql, account, id).changes > 0;
  }
}

/** Returns the SHA-256 of a secret with 256 random bits, in hex. */
export function digestOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
