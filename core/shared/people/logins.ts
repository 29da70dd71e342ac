/** Logins and their secrets, as rows of the database: see core/storage/logins.ts. */
import { createHash, randomBytes } from "node:crypto";
import type { Verifier } from "../../protocol/message.ts";
import type { Account, Credential, Login, Standing } from "../../storage/account.ts";
import { accountChangedEvent } from "../../storage/event_facts.ts";
import { decoyVerifier, useIntervalMs } from "../../storage/account_rules.ts";
import type { AuthorizedKey, PublicKey } from "../../storage/public_key.ts";
import {
  type Attempt,
  type Ban,
  type Consequence,
  type FoundWebSession,
  type LoginStore,
  type Provable,
  type ProvableToken,
  type Token,
  type WebSession,
  webSessionIdleMs,
  webSessionMaxMs,
} from "../../storage/logins.ts";
import { type Actor, operator } from "../../storage/audit/audit.ts";
import {
  accountChanged,
  banLifted,
  keyAdded,
  keyRemoved,
  tokenIssued,
  tokensRevoked,
  webSessionEnded,
} from "../../storage/audit/entries.ts";
import { fullScope, type Scope } from "../../storage/scope.ts";
import { accountColumns, accountOfLogin } from "../tree/account_rows.ts";
import { nameOf, type Record, recording } from "../database/audit_rows.ts";
import { SharedBans } from "./bans.ts";
import { setVerifier } from "./accounts.ts";
import { addKeys, keysOf } from "./keys.ts";
import { insertToken, makeToken, provableToken, tokensOf } from "./tokens.ts";
import type { Parts } from "../bucket/parts.ts";
import type { Statements } from "../database/postgres.ts";

/** Web sessions of one account; the least recently used one ends first. */
const maxWebSessions = 50;
/** SQL that is true of a web session that has not expired. */
const alive =
  `(seen > now_ms() - ${webSessionIdleMs}::bigint AND created > now_ms() - ${webSessionMaxMs}::bigint)`;

export class SharedLogins implements LoginStore {
  readonly #parts: Parts;
  readonly #bans: SharedBans;

  /** @param banAfter returns the number of failures in an hour that is followed by a ban; 0: never */
  constructor(parts: Parts, banAfter: () => number) {
    this.#parts = parts;
    this.#bans = new SharedBans(parts, banAfter);
  }

  async account(login: Login): Promise<Account | undefined> {
    return await accountOfLogin(this.#parts.db, login);
  }

  standing(login: Login): Promise<Standing | undefined> {
    return this.account(login);
  }

  async revocations(): Promise<string> {
    // The number of ends by hand, to which a deleted row adds, and the latest ends that the clock has passed.
    const latest = (table: string) =>
      `coalesce((SELECT max(expires) FROM ${table} WHERE expires <= now_ms()), 0)`;
    const ends = `${latest("token")} || ' ' || ${latest("account")}`;
    const rows = await this.#parts.db.all<{ ended: string }>(
      `SELECT count || ' ' || ${ends} AS ended FROM revocation`,
    );
    return rows[0].ended;
  }

  async byPassword(name: string): Promise<Provable | undefined> {
    // For an unknown name, another account is read, so that the time does not reveal that it is unknown.
    const [row] = await this.#parts.db.all<
      Account & { verifier: Verifier; epoch: number; same: boolean }
    >(
      `SELECT ${accountColumns}, verifier, epoch, lower(name) = lower($1) AS same FROM account
       WHERE lower(name) = lower($1) OR id = (SELECT min(id) FROM account)
       ORDER BY lower(name) = lower($1) DESC LIMIT 1`,
      name,
    );
    if (!row?.same) return undefined;
    const { verifier, epoch, same: _, ...account } = row;
    return { account, verifier, credential: { kind: "password", epoch } };
  }

  async byToken(id: string): Promise<ProvableToken | undefined> {
    return await provableToken(this.#parts.db, id);
  }

  async byKey(name: string, fingerprint: string): Promise<Account | undefined> {
    const [account] = await this.#parts.db.all<Account>(
      `SELECT ${accountColumns} FROM public_key JOIN account ON account.id = public_key.account
       WHERE lower(account.name) = lower($1) AND fingerprint = $2`,
      name,
      fingerprint,
    );
    return account;
  }

  async byWebSession(secret: string): Promise<FoundWebSession | undefined> {
    const digest = digestOf(secret);
    const [row] = await this.#parts.db.all<Account & { stale: boolean; token: string | null }>(
      `SELECT ${accountColumns}, seen < now_ms() - ${useIntervalMs} AS stale, token FROM web_session
       JOIN account ON account.id = web_session.account WHERE digest = $1 AND ${
        alive.replace("created", "web_session.created")
      }`,
      digest,
    );
    if (!row) return undefined;
    const { stale, token, ...account } = row;
    const scope = token === null ? fullScope : (await provableToken(this.#parts.db, token))?.scope;
    if (!scope) return undefined;
    if (stale) {
      await this.#parts.db.all("UPDATE web_session SET seen = now_ms() WHERE digest = $1", digest);
    }
    return { account, id: digest.slice(0, 16), credential: { kind: "web", digest }, scope };
  }

  async decoy(name: string): Promise<Verifier> {
    return decoyVerifier(await this.#parts.secrets.get("decoy"), name);
  }

  async isBanned(attempt: Attempt): Promise<boolean> {
    return await this.#bans.isBanned(attempt);
  }

  async failed(attempt: Attempt): Promise<Consequence> {
    return await this.#bans.failed(attempt);
  }

  async succeeded(attempt: Attempt, credential: Credential): Promise<void> {
    const { db } = this.#parts;
    const { id } = attempt.account!;
    await this.#bans.succeeded(attempt);
    await db.all(
      `UPDATE account SET last_login = now() WHERE id = $1
       AND (last_login IS NULL OR last_login < now() - interval '${useIntervalMs} milliseconds')`,
      id,
    );
    const due = `coalesce(used, 0) < now_ms() - ${useIntervalMs}`;
    if (credential.kind === "token") {
      const sql = `UPDATE token SET used = now_ms(), used_from = $2 WHERE id = $1 AND ${due}`;
      await db.all(sql, credential.id, attempt.host);
    }
    if (credential.kind === "key") {
      await db.all(
        `UPDATE public_key SET used = now_ms() WHERE account = $1 AND fingerprint = $2 AND ${due}`,
        id,
        credential.fingerprint,
      );
    }
  }

  async markOf(name: string): Promise<string> {
    return await this.#bans.markOf(name);
  }

  async bans(): Promise<readonly Ban[]> {
    return await this.#bans.list();
  }

  async liftBans(subject: string, by: Actor = operator): Promise<readonly Ban[]> {
    return await recording(this.#parts.db, async (tx, record) => {
      const lifted = await this.#bans.lift(tx, subject);
      await record(...lifted.map((ban) => banLifted(ban, by)));
      return lifted;
    });
  }

  async tokens(account: number): Promise<readonly Token[]> {
    return await tokensOf(this.#parts.db, account);
  }

  async issueToken(
    login: Login,
    label: string,
    scope: Scope = fullScope,
    by: Actor = operator,
  ): Promise<{ readonly id: string; readonly token: string } | undefined> {
    const token = await makeToken();
    return await this.#unlessEnded(login, async ({ tx, record, account, origin }) => {
      await insertToken(tx, token, { account: login.id, label, origin, scope });
      await record(tokenIssued(account.name, { id: token.id, label, scope }, by));
      return { id: token.id, token: token.text };
    });
  }

  async revokeToken(account: number, id: string, by: Actor = operator): Promise<boolean> {
    return await recording(this.#parts.db, async (tx, record) => {
      const sql = "DELETE FROM token WHERE account = $1 AND id = $2 RETURNING id";
      if ((await tx.all(sql, account, id)).length === 0) return false;
      await record(...tokensRevoked(await nameOf(tx, account), [id], by));
      return true;
    });
  }

  async revokeTokens(account: number, by: Actor = operator): Promise<readonly string[]> {
    return await recording(this.#parts.db, async (tx, record) => {
      const rows = await tx.all<{ id: string }>(
        `WITH ended AS (DELETE FROM token WHERE account = $1 RETURNING id, created)
         SELECT id FROM ended ORDER BY created, id`,
        account,
      );
      const ids = rows.map(({ id }) => id);
      if (ids.length > 0) await record(...tokensRevoked(await nameOf(tx, account), ids, by));
      return ids;
    });
  }

  async keys(account: number): Promise<readonly PublicKey[]> {
    return await keysOf(this.#parts.db, account);
  }

  async addKeys(
    account: number,
    keys: readonly AuthorizedKey[],
    by: Actor = operator,
  ): Promise<readonly boolean[]> {
    return await recording(this.#parts.db, async (tx, record) => {
      const added = await addKeys(tx, account, keys);
      const name = await nameOf(tx, account);
      await record(...keys.filter((_, i) => added[i]).map((key) => keyAdded(name, key, by)));
      return added;
    });
  }

  async removeKeys(
    account: number,
    fingerprints: readonly string[],
    by: Actor = operator,
  ): Promise<readonly string[]> {
    return await recording(this.#parts.db, async (tx, record) => {
      const rows = await tx.all<{ fingerprint: string }>(
        `DELETE FROM public_key WHERE account = $1
         AND fingerprint IN (SELECT jsonb_array_elements_text($2::text::jsonb)) RETURNING fingerprint`,
        account,
        JSON.stringify(fingerprints),
      );
      if (rows.length === 0) return [];
      const found = new Set(rows.map(({ fingerprint }) => fingerprint));
      const removed = fingerprints.filter((fingerprint) => found.has(fingerprint));
      const name = await nameOf(tx, account);
      await record(...removed.map((fingerprint) => keyRemoved(name, fingerprint, by)));
      return removed;
    });
  }

  async webSessions(account: number): Promise<readonly WebSession[]> {
    return await this.#parts.db.all<WebSession>(
      `SELECT left(digest, 16) AS id, agent, address, created, seen FROM web_session
       WHERE account = $1 AND ${alive} ORDER BY seen DESC, created DESC`,
      account,
    );
  }

  async beginWebSession(
    login: Login,
    { agent, address }: Pick<WebSession, "agent" | "address">,
  ): Promise<string | undefined> {
    const secret = randomBytes(32).toString("base64url");
    return await this.#unlessEnded(login, async ({ tx, origin }) => {
      await tx.all(`DELETE FROM web_session WHERE NOT ${alive}`);
      await tx.all(
        `INSERT INTO web_session (digest, account, agent, address, token)
         VALUES ($1, $2::bigint, $3, $4, $5)`,
        digestOf(secret),
        login.id,
        agent.slice(0, 300),
        address,
        origin,
      );
      await tx.all(
        `DELETE FROM web_session WHERE account = $1 AND digest NOT IN (
           SELECT digest FROM web_session WHERE account = $1 ORDER BY seen DESC, created DESC
           LIMIT ${maxWebSessions})`,
        login.id,
      );
      return secret;
    });
  }

  async endWebSession(account: number, id: string, by: Actor = operator): Promise<boolean> {
    return await recording(this.#parts.db, async (tx, record) => {
      const sql =
        "DELETE FROM web_session WHERE account = $1 AND left(digest, 16) = $2 RETURNING 1";
      if ((await tx.all(sql, account, id)).length === 0) return false;
      await record(webSessionEnded(await nameOf(tx, account), id, by));
      return true;
    });
  }

  async changePassword(
    login: Login,
    verifier: Verifier,
    by: Actor = operator,
  ): Promise<Credential | undefined> {
    return await this.#unlessEnded(login, async ({ tx, record, account }) => {
      const epoch = await setVerifier(tx, login.id, verifier);
      await record(accountChanged(account, { verifier }, by));
      await this.#parts.outbox.add(tx, () => [accountChangedEvent(account.name, { verifier })]);
      return { kind: "password", epoch };
    });
  }

  /**
   * Runs work in a transaction in which a login holds.
   *
   * @returns undefined when the login has ended
   */
  async #unlessEnded<T>(
    login: Login,
    work: (step: LoginStep) => Promise<T>,
  ): Promise<T | undefined> {
    return await recording(this.#parts.db, async (tx, record) => {
      await tx.all("SELECT 1 FROM account WHERE id = $1 FOR NO KEY UPDATE", login.id);
      const account = await accountOfLogin(tx, login);
      if (!account) return undefined;
      return await work({ tx, record, account, origin: await originOf(tx, login) });
    });
  }
}

/** A transaction in which a login holds. */
interface LoginStep {
  readonly tx: Statements;
  readonly record: Record;
  readonly account: Account;
  /** The id of the token that the login began with, also through a web session; null for none. */
  readonly origin: string | null;
}

async function originOf(tx: Statements, { credential }: Login): Promise<string | null> {
  if (credential.kind === "token") return credential.id;
  if (credential.kind !== "web") return null;
  const sql = "SELECT token FROM web_session WHERE digest = $1";
  const [row] = await tx.all<{ token: string | null }>(sql, credential.digest);
  return row?.token ?? null;
}

function digestOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
