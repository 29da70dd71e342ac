/** The rows of accounts, and of the credentials of logins. */
import {
  type Account,
  type Credential,
  credentialValue,
  type Login,
} from "../../storage/account.ts";
import type { AccountSums } from "../../storage/over_quota.ts";
import type { Statements } from "../database/postgres.ts";

/** The columns of an {@link Account}, in SQL. */
export const accountColumns =
  `account.id, account.name, account.role, account.disabled, account.used, account.reserved,
   account.quota AS "limit", account.entries, account.entry_limit AS "entryLimit",
   account.entry_limit_set AS "entryLimitSet",
   (extract(epoch FROM account.created) * 1000)::bigint AS created,
   (extract(epoch FROM account.last_login) * 1000)::bigint AS "lastLogin",
   account.expires, coalesce(account.expires <= now_ms(), false) AS expired,
   to_jsonb(string_to_array(account.networks, ' ')) AS "from",
   account.totp_secret IS NOT NULL AS totp`;

/** The condition on which a row has not ended by its time, in SQL. */
const isLive = (table: string) => `(${table}.expires IS NULL OR ${table}.expires > now_ms())`;

/** The conditions on which credentials of each kind are valid, in SQL. The account must also be one that may log in. */
const conditions: Readonly<Record<Credential["kind"], string>> = {
  password: "account.epoch = $2::integer",
  token: `EXISTS (SELECT 1 FROM token
    WHERE token.id = $2 AND token.account = account.id AND ${isLive("token")})`,
  key: `EXISTS (SELECT 1 FROM public_key
    WHERE public_key.account = account.id AND public_key.fingerprint = $2)`,
  web: `EXISTS (SELECT 1 FROM web_session LEFT JOIN token ON token.id = web_session.token
    WHERE web_session.digest = $2 AND web_session.account = account.id AND ${isLive("token")})`,
  share: "EXISTS (SELECT 1 FROM share WHERE share.digest = $2 AND share.account = account.id)",
};

/** Returns the account of a login; undefined when the login has ended. */
export async function accountOfLogin(
  db: Statements,
  { id, credential }: Login,
): Promise<Account | undefined> {
  const [account] = await db.all<Account>(
    `SELECT ${accountColumns} FROM account
     WHERE id = $1 AND NOT disabled AND ${isLive("account")} AND ${conditions[credential.kind]}`,
    id,
    credentialValue(credential),
  );
  return account;
}

/** Returns whether an account exists and may log in. */
export async function isAccountEnabled(db: Statements, id: number): Promise<boolean> {
  return (await db.all(
    `SELECT 1 FROM account WHERE id = $1 AND NOT disabled AND ${isLive("account")}`,
    id,
  )).length > 0;
}

/** The sums of an account by its id. */
export interface Sums extends AccountSums {
  readonly id: number;
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
