/** The rows of accounts. */
import type { Account, Login } from "../storage/account.ts";
import type { Statements } from "./postgres.ts";

/** The columns of an {@link Account}, in SQL. */
export const accountColumns =
  `account.id, account.name, account.role, account.disabled, account.used, account.reserved,
   account.quota AS "limit", account.entries, account.entry_limit AS "entryLimit",
   (extract(epoch FROM account.created) * 1000)::bigint AS created,
   (extract(epoch FROM account.last_login) * 1000)::bigint AS "lastLogin"`;

/** Returns the account of a login; undefined when the login has ended. */
export async function accountOfLogin(
  db: Statements,
  { id, credential }: Login,
): Promise<Account | undefined> {
  // Tokens, keys, web sessions and share links: with the tables of people.
  const epoch = credential.kind === "password" ? credential.epoch : null;
  const [account] = await db.all<Account>(
    `SELECT ${accountColumns} FROM account WHERE id = $1 AND NOT disabled AND epoch = $2::integer`,
    id,
    epoch,
  );
  return account;
}

/** Returns whether an account exists and is not disabled. */
export async function isAccountEnabled(db: Statements, id: number): Promise<boolean> {
  return (await db.all("SELECT 1 FROM account WHERE id = $1 AND NOT disabled", id)).length > 0;
}

/** The sums of an account, and their limits; null for none. */
export interface Sums {
  readonly id: number;
  readonly name: string;
  readonly used: number;
  readonly reserved: number;
  readonly quota: number | null;
  readonly entries: number;
  readonly entryLimit: number | null;
}

/** Locks the rows of accounts, in the order of their ids, and returns their sums. */
export async function lockAccounts(
  db: Statements,
  ids: Iterable<number>,
): Promise<Map<number, Sums>> {
  const rows = await db.all<Sums>(
    `SELECT id, name, used, reserved, quota, entries, entry_limit AS "entryLimit" FROM account
     WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::text::jsonb))
     ORDER BY id FOR NO KEY UPDATE`,
    JSON.stringify([...new Set(ids)]),
  );
  return new Map(rows.map((row) => [row.id, row]));
}
