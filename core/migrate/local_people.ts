/** Reads and writes accounts in the database of a data directory. */
import {
  type AccountRow,
  verifierColumns,
  verifierOf,
  type VerifierRow,
} from "../local/account/accounts.ts";
import type { Database } from "../local/database/database.ts";
import type { Verifier } from "../protocol/message.ts";
import {
  type AccountRecord,
  columnsOf,
  type People,
  type PeopleRow,
  type PeopleRows,
  type PeopleTable,
  peopleTableNames,
} from "./people.ts";

type LocalAccount =
  & Pick<AccountRow, "name" | "role" | "disabled" | "created" | "expires" | "networks">
  & VerifierRow
  & {
    readonly quota: number | null;
    readonly entry_limit: number | null;
    readonly entry_limit_set: number;
    readonly epoch: number;
    readonly granted: number | null;
    readonly last_login: number | null;
    readonly totp_secret: string | null;
    readonly totp_step: number | null;
    readonly recovery_codes: string | null;
  };

/** Reads all accounts and the rows that refer to them, as of one moment. */
export function readLocalPeople(db: Database): People {
  return db.transaction(() => {
    const rows = new Map(peopleTableNames.map((table) => [table, readLocalTable(db, table)]));
    return { accounts: readLocalAccounts(db), rows };
  });
}

/** Returns all accounts, the oldest first. */
export function readLocalAccounts(db: Database): AccountRecord[] {
  return db.all<LocalAccount>("SELECT * FROM account ORDER BY id").map((row) => ({
    name: row.name,
    role: row.role,
    disabled: row.disabled !== 0,
    quota: row.quota,
    entryLimit: row.entry_limit,
    entryLimitSet: row.entry_limit_set !== 0,
    epoch: row.epoch,
    granted: row.granted,
    verifier: verifierOf(row),
    created: row.created,
    lastLogin: row.last_login,
    expires: row.expires,
    networks: row.networks,
    totpSecret: row.totp_secret,
    totpStep: row.totp_step,
    recoveryCodes: row.recovery_codes,
  }));
}

/** Makes and changes accounts, and deletes all others. @param limits whether to set quotas and entry limits */
export function writeLocalAccounts(
  db: Database,
  accounts: readonly AccountRecord[],
  limits: boolean,
): void {
  const names = new Set(accounts.map(({ name }) => name));
  for (const { id, name } of db.all<{ id: number; name: string }>("SELECT id, name FROM account")) {
    if (!names.has(name)) db.run("DELETE FROM account WHERE id = ?", id);
  }
  for (const account of accounts) {
    db.upsert("account", { name: account.name }, {
      role: account.role,
      disabled: Number(account.disabled),
      quota: limits ? account.quota : null,
      entry_limit: limits ? account.entryLimit : null,
      entry_limit_set: Number(account.entryLimitSet),
      epoch: account.epoch,
      granted: account.granted,
      created: account.created,
      last_login: account.lastLogin,
      expires: account.expires,
      networks: account.networks,
      totp_secret: account.totpSecret,
      totp_step: account.totpStep,
      recovery_codes: account.recoveryCodes,
      ...verifierColumns(account.verifier),
    });
  }
}

/** Returns the ids of accounts by their names. */
export function localIds(db: Database): Map<string, number> {
  const rows = db.all<Pick<AccountRow, "id" | "name">>("SELECT id, name FROM account");
  return new Map(rows.map(({ id, name }) => [name, id]));
}

/** SQL for a verifier as JSON. Tokens have costs of their own, which are not stored. */
function verifierJson(table: PeopleTable): string {
  const costs = table === "token" ? "'n', 1, 'r', 1, 'p', 1" : "'n', n, 'r', r, 'p', p";
  return `CASE WHEN salt IS NOT NULL THEN json_object('salt', salt, ${costs},
    'storedKey', stored_key, 'serverKey', server_key) END`;
}

/** Returns all rows of a table, with the names of accounts. */
function readLocalTable(db: Database, table: PeopleTable): PeopleRow[] {
  const columns = columnsOf(table).map(([name, kind]) => {
    if (kind === "verifier") return `${verifierJson(table)} AS ${name}`;
    if (kind !== "account") return name;
    return `(SELECT account.name FROM account WHERE account.id = ${table}.account) AS account`;
  });
  // A token comes after the token that issued it.
  const order = table === "token" ? "ORDER BY rowid" : "";
  const rows = db.all<PeopleRow>(`SELECT ${columns.join(", ")} FROM ${table} ${order}`);
  return rows.map((row) => ({
    ...row,
    ...("verifier" in row ? { verifier: JSON.parse(row.verifier as string ?? "null") } : {}),
    ...("gone" in row ? { gone: row.gone !== 0 } : {}),
  }));
}

/** Replaces the rows of all tables. Rows of unknown accounts are left out. */
export function writeLocalTables(
  db: Database,
  rowsOf: PeopleRows,
): void {
  const ids = localIds(db);
  db.run("PRAGMA defer_foreign_keys = ON"); // a token may come before the token that issued it
  for (const table of peopleTableNames) db.run(`DELETE FROM ${table}`);
  for (const table of peopleTableNames) {
    for (const { verifier, account, gone, ...row } of rowsOf.get(table)!) {
      const id = table === "ban" ? account as string : ids.get(account as string);
      if (account !== undefined && id === undefined) continue;
      db.insert(table, {
        ...row as Record<string, string | number | null>,
        ...(account === undefined ? {} : { account: id! }),
        ...(gone === undefined ? {} : { gone: Number(gone) }),
        ...(verifier ? verifierFields(table, verifier as Verifier) : {}),
      });
    }
  }
}

function verifierFields(table: PeopleTable, verifier: Verifier) {
  const { n, r, p, ...keys } = verifierColumns(verifier);
  return table === "token" ? keys : { ...keys, n, r, p };
}
