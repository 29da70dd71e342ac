/** The table of accounts, with their roles, quotas and password verifiers. */
import { BargeError } from "../../error.ts";
import type { Verifier } from "../../protocol/message.ts";
import { dropAdminPassword } from "./admin_password.ts";
import { firstFile } from "../vault/first_file.ts";
import {
  accountExists,
  accountIsGone,
  checkAccountName,
  decoyVerifier,
  isLastAdmin,
  nearQuotaShare,
  noSuchAccount,
  useIntervalMs,
  usualEntries,
} from "../../storage/account_rules.ts";
import type { Account } from "../../storage/account.ts";
import { changedFields } from "../../storage/account_change.ts";
import type { AccountChange, NewAccount, Totals } from "../../storage/accounts.ts";
import { joinItems, splitItems } from "../../storage/scope.ts";
import {
  accountAddedEvent,
  accountChangedEvent,
  accountRemovedEvent,
} from "../../storage/event_facts.ts";
import type { Database } from "../database/database.ts";
import { Table } from "../database/table.ts";
import { Outbox } from "../ledger/outbox.ts";

/** The time in ms since 1970, in SQL. */
export const nowMs = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/** The columns of an {@link AccountRow}. */
export const accountColumns = `id, name, role, disabled, used, reserved, quota AS "limit", entries,
  entry_limit AS entryLimit, entry_limit_set AS entryLimitSet, created, last_login AS lastLogin, expires, networks,
  totp_secret IS NOT NULL AS totp,
  coalesce(expires <= ${nowMs}, 0) AS expired`;

/** An account as SQLite returns it. */
export type AccountRow =
  & Omit<Account, "disabled" | "entryLimitSet" | "expired" | "from" | "totp">
  & {
    readonly entryLimitSet: number;
    readonly disabled: number;
    readonly expired: number;
    readonly networks: string | null;
    readonly totp: number;
  };

/** The columns of a verifier. */
export type VerifierRow = ReturnType<typeof verifierColumns>;

const select = `SELECT ${accountColumns} FROM account`;

export class Accounts extends Table {
  readonly #outbox: Outbox;

  constructor(db: Database, outbox: Outbox = new Outbox(db)) {
    super(db);
    this.#outbox = outbox;
  }

  /** Returns all accounts, by name. */
  list(): Account[] {
    return this.db.all<AccountRow>(`${select} ORDER BY name`).map(accountOf);
  }

  /** Returns the number of accounts. */
  count(): number {
    return this.db.value("SELECT count(*) FROM account")!;
  }

  /** Returns the number of accounts and the sums of their bytes. */
  totals(): Totals["accounts"] {
    return this.db.get(
      `SELECT count(*) AS count, coalesce(sum(used), 0) AS used,
       coalesce(sum(reserved), 0) AS reserved FROM account`,
    )!;
  }

  /** Returns the number for `Totals.nearQuota`. */
  countNearQuota(): number {
    return this.db.value(
      "SELECT count(*) FROM account WHERE quota > 0 AND used + reserved >= quota * ?",
      nearQuotaShare,
    )!;
  }

  find(name: string): Account | undefined {
    const row = this.db.get<AccountRow>(`${select} WHERE name = ?`, name);
    return row && accountOf(row);
  }

  /** Returns an account by its name. @throws {BargeError} `not-found` */
  get(name: string): Account {
    const account = this.find(name);
    if (account) return account;
    throw noSuchAccount(name);
  }

  byId(id: number): Account | undefined {
    const row = this.db.get<AccountRow>(`${select} WHERE id = ?`, id);
    return row && accountOf(row);
  }

  /** Makes an account: see `AccountStore.add`. */
  add(account: NewAccount): Account {
    const { name, role, limit, entryLimit, verifier, disabled = false, adopt = false } = account;
    const { expires = null, from = null } = account;
    checkAccountName(name);
    return this.db.transaction(() => {
      if (this.find(name)) throw accountExists(name);
      if (!adopt) this.needFreeHome(name);
      const limits = { quota: limit, entry_limit: usualEntries(limit) };
      const ends = { expires, networks: joinItems(from) };
      const row = {
        name,
        role,
        disabled: Number(disabled),
        created: Date.now(),
        ...limits,
        ...ends,
      };
      this.db.insert("account", { ...row, ...verifierColumns(verifier) });
      if (entryLimit !== undefined) this.#change(name, { entryLimit });
      this.#outbox.add(() => [accountAddedEvent(name, role)]);
      return this.get(name);
    });
  }

  /**
   * Refuses a name whose home holds files of a removed account, or of an account in a lost database.
   *
   * @throws {BargeError} `exists`
   */
  needFreeHome(name: string): void {
    if (firstFile(`${this.db.data}/homes/${name}`) === undefined) return;
    throw new BargeError("exists", `homes/${name} holds files of a former account`, {
      account: name,
      path: name,
      hint: `the operator may move that folder away, or give it to the new account with ` +
        `\`barge user add ${name} --adopt\``,
    });
  }

  /**
   * Changes an account: see `AccountStore.change`. A new password also removes the file with the first
   * admin's password. Logins by an SSH key stay.
   *
   * @returns the account, and as {@link changedFields}
   */
  change(
    name: string,
    change: AccountChange,
  ): { readonly account: Account; readonly changes: AccountChange | undefined } {
    const changed = this.db.transaction(() => {
      const changes = changedFields(this.get(name), change);
      const account = this.#change(name, change);
      if (changes) this.#outbox.add(() => [accountChangedEvent(account.name, changes)]);
      return { account, changes };
    });
    if (change.verifier) dropAdminPassword(this.db.data, changed.account.name);
    return changed;
  }

  #change(name: string, change: AccountChange): Account {
    return this.db.joined(() => {
      const { id } = this.get(name);
      const before = this.#admins();
      const { role, disabled, limit, entryLimit, verifier, expires, from, totp } = change;
      const set = (columns: string, ...values: (string | number | null)[]) =>
        this.db.run(`UPDATE account SET ${columns} WHERE id = ?`, ...values, id);
      if (role) set("role = ?", role);
      if (disabled !== undefined) set("disabled = ?", Number(disabled));
      if (limit !== undefined) {
        const entries = "CASE entry_limit_set WHEN 0 THEN ? ELSE entry_limit END";
        set(`quota = ?, entry_limit = ${entries}`, limit, usualEntries(limit));
      }
      if (entryLimit !== undefined) set("entry_limit = ?, entry_limit_set = 1", entryLimit);
      if (expires !== undefined) set("expires = ?", expires);
      if (from !== undefined) set("networks = ?", joinItems(from));
      if (totp === false) set("totp_secret = NULL, totp_step = NULL, recovery_codes = NULL");
      if (verifier) {
        const columns = verifierColumns(verifier);
        const names = Object.keys(columns).map((column) => `${column} = ?`).join(", ");
        set(`${names}, epoch = epoch + 1`, ...Object.values(columns));
        this.db.run("DELETE FROM token WHERE account = ?", id);
        this.db.run("DELETE FROM web_session WHERE account = ?", id);
      }
      this.#keepAnAdmin(before, name);
      return this.get(name);
    });
  }

  /** Removes an account: see `AccountStore.remove`. The caller removes its home. */
  remove(name: string): void {
    this.db.transaction(() => {
      const account = this.get(name);
      const before = this.#admins();
      this.db.run("DELETE FROM upload WHERE account = ?", account.id);
      this.db.run("DELETE FROM account WHERE id = ?", account.id);
      this.#keepAnAdmin(before, name);
      this.#outbox.add(() => [accountRemovedEvent(account.name)]);
    });
  }

  /**
   * Returns an account and the verifier of its password. For an unknown name it reads the row of another
   * account, so that the time of the answer does not reveal whether the name exists.
   */
  forLogin(name: string): { account: Account; verifier: Verifier; epoch: number } | undefined {
    type Row = VerifierRow & { id: number; epoch: number; same: number };
    const row = this.db.get<Row>(
      `SELECT *, 1 AS same FROM account WHERE name = ? UNION ALL
       SELECT *, 0 FROM account WHERE id = (SELECT min(id) FROM account) LIMIT 1`,
      name,
    );
    const account = row && this.byId(row.id);
    if (!account) return undefined;
    const known = { account, verifier: verifierOf(row), epoch: row.epoch };
    return row.same ? known : undefined;
  }

  /** Returns a verifier that no password matches, always the same for a name. */
  decoy(name: string): Verifier {
    return decoyVerifier(this.db.secret("decoy"), name);
  }

  /** Returns the number of changes of an account's password. */
  epoch(id: number): number | undefined {
    return this.db.value("SELECT epoch FROM account WHERE id = ?", id);
  }

  /** Records the time of a login, at most once a minute. */
  loggedIn(id: number): void {
    const now = Date.now();
    const { lastLogin } = this.byId(id) ?? {};
    if (lastLogin && lastLogin > now - useIntervalMs) return;
    this.db.bestEffort(() =>
      this.db.run("UPDATE account SET last_login = ? WHERE id = ?", now, id)
    );
  }

  /** Returns the number of admins that can log in, without an end. */
  #admins(): number {
    const sql = `SELECT count(*) FROM account
      WHERE role = 'admin' AND disabled = 0 AND expires IS NULL`;
    return this.db.value(sql)!;
  }

  /** Checks at the end of the transaction, which may make another account an admin. */
  #keepAnAdmin(before: number, name: string): void {
    if (before === 0 || this.#admins() > 0) return;
    this.db.atCommit("admin", () => {
      if (this.#admins() > 0 || this.count() === 0) return;
      throw isLastAdmin(name);
    });
  }
}

export function accountOf({ networks, ...row }: AccountRow): Account {
  return {
    ...row,
    disabled: row.disabled !== 0,
    entryLimitSet: row.entryLimitSet !== 0,
    expired: row.expired !== 0,
    totp: row.totp !== 0,
    from: splitItems(networks),
  };
}

export function verifierColumns({ salt, n, r, p, storedKey, serverKey }: Verifier) {
  return { salt, n, r, p, stored_key: storedKey, server_key: serverKey };
}

export function verifierOf({ salt, n, r, p, stored_key, server_key }: VerifierRow): Verifier {
  return { salt, n, r, p, storedKey: stored_key, serverKey: server_key };
}

/** Checks that an account exists. @throws {BargeError} `not-found` if it does not */
export function requireAccount(db: Database, id: number): void {
  if (db.get("SELECT 1 FROM account WHERE id = ?", id)) return;
  throw accountIsGone();
}
