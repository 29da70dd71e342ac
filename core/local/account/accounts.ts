/** The table of accounts, with their roles, quotas and password verifiers. */
import { createHmac } from "node:crypto";
import { BargeError } from "../../error.ts";
import type { Verifier } from "../../protocol/message.ts";
import { costs } from "../../protocol/scram.ts";
import { dropAdminPassword } from "./admin_password.ts";
import { firstFile } from "../vault/first_file.ts";
import type { Account, Role } from "../../storage/account.ts";
import type { AccountChange, NewAccount } from "../../storage/accounts.ts";
import type { Database } from "../database/database.ts";

/** Entries that every account with a quota may have by default, and those for each GiB of it. */
const [baseEntries, entriesPerGiB] = [100_000, 10_000];

/**
 * The default number of entries (files, folders, partial uploads) of an account with this quota in
 * bytes; null for no limit.
 *
 * @example
 * ```ts
 * import { usualEntries } from "./accounts.ts";
 * if (usualEntries(1_000_000) !== 100_000 || usualEntries(20 * 2 ** 30) !== 300_000) throw new Error();
 * if (usualEntries(null) !== null) throw new Error();
 * ```
 */
export function usualEntries(limit: number | null): number | null {
  return limit === null ? null : baseEntries + entriesPerGiB * Math.floor(limit / 2 ** 30);
}

const loginNoteIntervalMs = 60_000;

/** The columns without the password's, since every request reads an account. */
export const accountColumns =
  "id, name, role, disabled, quota, used, reserved, entries, entry_limit, created, last_login";

/** A row of {@link accountColumns}. */
export interface AccountRow {
  id: number;
  name: string;
  role: Role;
  disabled: number;
  quota: number | null;
  used: number;
  reserved: number;
  entries: number;
  entry_limit: number | null;
  created: number;
  last_login: number | null;
}

interface Row extends AccountRow {
  epoch: number;
  salt: string;
  n: number;
  r: number;
  p: number;
  stored_key: string;
  server_key: string;
}

export class Accounts {
  readonly #db: Database;
  #decoyKeys: Pick<Verifier, "storedKey" | "serverKey"> | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Returns all accounts, by name. */
  list(): Account[] {
    return this.#db.all<Row>("SELECT * FROM account ORDER BY name").map(accountOf);
  }

  /** Returns the number of accounts. */
  count(): number {
    return this.#db.get<{ n: number }>("SELECT count(*) AS n FROM account")!.n;
  }

  /** Returns the number of accounts and the sums of their bytes. */
  totals(): { count: number; used: number; reserved: number } {
    return this.#db.get<{ count: number; used: number; reserved: number }>(
      `SELECT count(*) AS count, coalesce(sum(used), 0) AS used,
       coalesce(sum(reserved), 0) AS reserved FROM account`,
    )!;
  }

  find(name: string): Account | undefined {
    const row = this.#db.get<Row>("SELECT * FROM account WHERE name = ?", name);
    return row && accountOf(row);
  }

  /** @throws {BargeError} `not-found` */
  get(name: string): Account {
    const found = this.find(name);
    if (!found) {
      throw new BargeError("not-found", "there is no such account", { account: name, path: name });
    }
    return found;
  }

  byId(id: number): Account | undefined {
    const row = this.#db.get<Row>(`SELECT ${accountColumns} FROM account WHERE id = ?`, id);
    return row && accountOf(row);
  }

  /**
   * Makes an account.
   *
   * @throws {BargeError} `exists` when the name is taken, in whatever case, or homes/NAME holds files
   *   and `adopt` is not set; `usage` for a bad name
   */
  add({ name, role, limit, entryLimit, verifier: v, adopt = false }: NewAccount): Account {
    checkName(name);
    return this.#db.transaction(() => {
      if (this.find(name)) {
        throw new BargeError("exists", "that account exists already", {
          account: name,
          path: name,
        });
      }
      if (!adopt) this.needFreeHome(name);
      this.#db.run(
        `INSERT INTO account (name, role, quota, salt, n, r, p, stored_key, server_key, created, entry_limit)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[name, role, limit, v.salt, v.n, v.r, v.p, v.storedKey, v.serverKey, Date.now()],
        usualEntries(limit),
      );
      return entryLimit === undefined ? this.get(name) : this.change(name, { entryLimit });
    });
  }

  /**
   * Refuses a name whose home holds files, which belong to a removed account, or to one in a lost
   * database.
   *
   * @throws {BargeError} `exists`
   */
  needFreeHome(name: string): void {
    if (firstFile(`${this.#db.data}/homes/${name}`) === undefined) return;
    throw new BargeError("exists", `homes/${name} holds files of a former account`, {
      account: name,
      path: name,
      hint: `the operator may move that folder away, or give it to the new account with ` +
        `\`barge user add ${name} --adopt\``,
    });
  }

  /**
   * Changes what is given and leaves the rest. A new password ends all logins that began with the
   * old one, all tokens and all logins at the web page, and removes the file with the first admin's.
   * Logins by an SSH key stay.
   *
   * @throws {BargeError} `not-found`; `refused` when it would leave no admin that can log in
   */
  change(name: string, change: AccountChange): Account {
    const changed = this.#db.transaction(() => {
      const { id } = this.get(name);
      const before = this.#admins();
      if (change.role) this.#db.run("UPDATE account SET role = ? WHERE id = ?", change.role, id);
      if (change.disabled !== undefined) {
        this.#db.run("UPDATE account SET disabled = ? WHERE id = ?", change.disabled ? 1 : 0, id);
      }
      if (change.limit !== undefined) {
        this.#db.run(
          `UPDATE account SET quota = ?1,
             entry_limit = CASE entry_limit_set WHEN 0 THEN ?2 ELSE entry_limit END WHERE id = ?3`,
          ...[change.limit, usualEntries(change.limit), id],
        );
      }
      if (change.entryLimit !== undefined) {
        const sql = "UPDATE account SET entry_limit = ?, entry_limit_set = 1 WHERE id = ?";
        this.#db.run(sql, change.entryLimit, id);
      }
      if (change.verifier) {
        const v = change.verifier;
        this.#db.run(
          `UPDATE account SET salt = ?, n = ?, r = ?, p = ?, stored_key = ?, server_key = ?,
           epoch = epoch + 1 WHERE id = ?`,
          ...[v.salt, v.n, v.r, v.p, v.storedKey, v.serverKey, id],
        );
        this.#db.run("DELETE FROM token WHERE account = ?", id);
        this.#db.run("DELETE FROM web_session WHERE account = ?", id);
      }
      this.#keepAnAdmin(before, name);
      return this.get(name);
    });
    if (change.verifier) dropAdminPassword(this.#db.data, changed.name);
    return changed;
  }

  /**
   * Removes an account, its tokens and its partial uploads. Its files stay on disk and in the
   * ledger, charged to nobody; the caller decides about its home.
   *
   * @throws {BargeError} `not-found`; `refused` when others would be left without an admin that can
   *   log in
   */
  remove(name: string): void {
    this.#db.transaction(() => {
      const { id } = this.get(name);
      const before = this.#admins();
      this.#db.run("DELETE FROM upload WHERE account = ?", id);
      this.#db.run("DELETE FROM account WHERE id = ?", id);
      this.#keepAnAdmin(before, name);
    });
  }

  /**
   * An account, and what its password is checked with. For a name that there is none of, another
   * account's row is read and dropped: reading a row takes longer than reading none, and who tries
   * names could measure that.
   */
  forLogin(name: string): { account: Account; verifier: Verifier; epoch: number } | undefined {
    const row = this.#db.get<Row & { same: number }>(
      `SELECT *, 1 AS same FROM account WHERE name = ? UNION ALL
       SELECT *, 0 FROM account WHERE id = (SELECT min(id) FROM account) LIMIT 1`,
      name,
    );
    if (!row) return undefined;
    const { epoch, salt, n, r, p, stored_key: storedKey, server_key: serverKey } = row;
    const verifier = { salt, n, r, p, storedKey, serverKey };
    const found = { account: accountOf(row), verifier, epoch };
    return row.same ? found : undefined;
  }

  /**
   * A verifier that nothing matches, always the same for a name: what an unknown name is answered
   * with, so that it looks like any other.
   */
  decoy(name: string): Verifier {
    const secret = this.#db.secret("decoy");
    const bytes = (what: string) => createHmac("sha256", secret).update(what).digest();
    const salt = bytes(`salt\n${name.toLowerCase()}`).subarray(0, 16).toString("base64");
    // Only the salt is ever told, so that all names may share the keys.
    this.#decoyKeys ??= {
      storedKey: bytes("stored").toString("base64"),
      serverKey: bytes("server").toString("base64"),
    };
    return { salt, ...costs, ...this.#decoyKeys };
  }

  /** How often its password was changed. */
  epoch(id: number): number | undefined {
    return this.#db.get<{ epoch: number }>("SELECT epoch FROM account WHERE id = ?", id)?.epoch;
  }

  /** Records the time of a login, at most once a minute. */
  loggedIn(id: number): void {
    const now = Date.now();
    const { lastLogin } = this.byId(id) ?? {};
    if (lastLogin && lastLogin > now - loginNoteIntervalMs) return;
    this.#db.note(() => this.#db.run("UPDATE account SET last_login = ? WHERE id = ?", now, id));
  }

  #admins(): number {
    const sql = "SELECT count(*) AS n FROM account WHERE role = 'admin' AND disabled = 0";
    return this.#db.get<{ n: number }>(sql)!.n;
  }

  /** Judged at the end of the transaction: another account may be made admin in it. */
  #keepAnAdmin(before: number, name: string): void {
    if (before === 0 || this.#admins() > 0) return;
    this.#db.atCommit("admin", () => {
      if (this.#admins() > 0 || this.count() === 0) return;
      throw new BargeError("refused", "it is the last admin that can log in", {
        account: name,
        path: name,
        hint: "make another account admin first",
      });
    });
  }
}

/**
 * A name must be usable as a folder's and in a URL: 1 to 64 of `A-Z a-z 0-9 . _ -`, the first a
 * letter or a digit.
 *
 * @throws {BargeError} `usage`
 */
export function checkName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw new BargeError("usage", "that can't be an account's name", {
      account: name,
      path: name,
      hint: "1 to 64 of A-Z a-z 0-9 . _ - and the first a letter or a digit",
    });
  }
}

export function accountOf(row: AccountRow): Account {
  const { id, name, role, used, reserved, quota: limit, entries, created } = row;
  return {
    ...{ id, name, role, disabled: row.disabled !== 0, used, reserved, limit, entries },
    ...{ entryLimit: row.entry_limit, created, lastLogin: row.last_login },
  };
}
