/**
 * Checks whether a login may go on: its account is enabled, and what it logged in with still holds.
 *
 * Every request asks this, in one statement. The table `revocation` counts what has ended, so that
 * whoever watches many logins need not ask for each of them again.
 */
import { accountColumns, accountOf, type AccountRow } from "./accounts.ts";
import type { Account } from "../../storage/account.ts";
import type { Credential } from "../../storage/account.ts";
import type { Database } from "../database/database.ts";

/** For each kind, what must hold beside that the account is enabled; its parameter is the last. */
const conditions: Readonly<Record<Credential["kind"], string>> = {
  password: "epoch = ?",
  token: "EXISTS (SELECT 1 FROM token WHERE token.id = ? AND token.account = account.id)",
  key: `EXISTS (SELECT 1 FROM public_key
    WHERE public_key.account = account.id AND public_key.fingerprint = ?)`,
  web: `EXISTS (SELECT 1 FROM web_session
    WHERE web_session.digest = ? AND web_session.account = account.id)`,
  share: "EXISTS (SELECT 1 FROM share WHERE share.digest = ? AND share.account = account.id)",
};

type Statements = Readonly<Record<Credential["kind"], string>>;
const selecting = (columns: string) =>
  Object.fromEntries(
    Object.entries(conditions).map(([kind, condition]) => [
      kind,
      `SELECT ${columns} FROM account WHERE id = ? AND disabled = 0 AND ${condition}`,
    ]),
  ) as Statements;
const accountBy = selecting(accountColumns);
const holdsBy = selecting("1");

export class Credentials {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Returns the account, if a login to it with this credential may go on. */
  account(id: number, credential: Credential): Account | undefined {
    const sql = accountBy[credential.kind];
    const row = this.#db.get<AccountRow>(sql, id, markOf(credential));
    return row && accountOf(row);
  }

  /** May a login to the account with this credential go on? */
  holds(id: number, credential: Credential): boolean {
    return this.#db.get(holdsBy[credential.kind], id, markOf(credential)) !== undefined;
  }

  /** A number that is another one whenever a credential has ended, or an account. */
  revocations(): number {
    return this.#db.get<{ count: number }>("SELECT count FROM revocation")!.count;
  }
}

function markOf(credential: Credential): string | number {
  switch (credential.kind) {
    case "password":
      return credential.epoch;
    case "token":
      return credential.id;
    case "key":
      return credential.fingerprint;
    default:
      return credential.digest;
  }
}
