/**
 * Checks whether a login is still valid: its account may log in, and its credential exists. Every
 * request checks this, with one statement.
 */
import { accountColumns, accountOf, type AccountRow, nowMs } from "./accounts.ts";
import {
  type Account,
  type Credential,
  credentialValue,
  type Standing,
} from "../../storage/account.ts";
import { splitItems } from "../../storage/scope.ts";
import { Table } from "../database/table.ts";

type Kind = Credential["kind"];

/** The condition on which a row has not ended by its time. */
const isLive = (table: string) => `(${table}.expires IS NULL OR ${table}.expires > ${nowMs})`;

/** The condition on which a credential of each kind is valid, in SQL. Parameter: its value. */
const conditions: Readonly<Record<Kind, string>> = {
  password: "epoch = ?",
  token: `EXISTS (SELECT 1 FROM token
    WHERE token.id = ? AND token.account = account.id AND ${isLive("token")})`,
  key: `EXISTS (SELECT 1 FROM public_key
    WHERE public_key.account = account.id AND public_key.fingerprint = ?)`,
  web: `EXISTS (SELECT 1 FROM web_session LEFT JOIN token ON token.id = web_session.token
    WHERE web_session.digest = ? AND web_session.account = account.id AND ${isLive("token")})`,
  share: "EXISTS (SELECT 1 FROM share WHERE share.digest = ? AND share.account = account.id)",
};
/** Returns the statements that select columns of the account of a valid login, by the kind of its credential. */
const select = (columns: string): Readonly<Record<Kind, string>> => {
  const from = `SELECT ${columns} FROM account
    WHERE id = ? AND disabled = 0 AND ${isLive("account")} AND `;
  const entries = Object.entries(conditions).map(([kind, condition]) => [kind, from + condition]);
  return Object.fromEntries(entries);
};
const selectAccount = select(accountColumns);
const selectStanding = select("role, networks, totp_secret IS NOT NULL AS totp");

export class Credentials extends Table {
  /** Returns the account, if a login to it with this credential is still valid. */
  account(id: number, credential: Credential): Account | undefined {
    const row = this.db.get<AccountRow>(
      selectAccount[credential.kind],
      id,
      credentialValue(credential),
    );
    return row && accountOf(row);
  }

  /** Returns the standing of a login, if it is still valid. */
  standing(id: number, credential: Credential): Standing | undefined {
    const sql = selectStanding[credential.kind];
    type Row = Pick<AccountRow, "role" | "networks" | "totp">;
    const row = this.db.get<Row>(sql, id, credentialValue(credential));
    return row && { role: row.role, from: splitItems(row.networks), totp: row.totp !== 0 };
  }

  /** Returns whether a login to the account with this credential is still valid. */
  holds(id: number, credential: Credential): boolean {
    return this.standing(id, credential) !== undefined;
  }

  /**
   * Returns a text that changes whenever a credential or an account has ended: the number of ends by hand,
   * and the latest ends that the clock has passed. A row that is deleted adds to the number.
   */
  revocations(): string {
    const latest = (table: string) =>
      `coalesce((SELECT max(expires) FROM ${table} WHERE expires <= ${nowMs}), 0)`;
    const ends = `${latest("token")} || ' ' || ${latest("account")}`;
    return this.db.value(`SELECT count || ' ' || ${ends} FROM revocation`)!;
  }
}
