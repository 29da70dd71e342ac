/** Tokens, as rows of the database. */
import { randomBytes } from "node:crypto";
import { BargeError } from "../../error.ts";
import type { Verifier } from "../../protocol/message.ts";
import { makeVerifier } from "../../protocol/verifier.ts";
import type { Account } from "../../storage/account.ts";
import { maxTokens } from "../../storage/bounds.ts";
import { listedTokenMs, type ProvableToken, type Token } from "../../storage/logins.ts";
import { fullScope, type Scope, scopeOf, type ScopeRow, scopeRow } from "../../storage/scope.ts";
import type { Statements } from "../database/postgres.ts";
import { accountColumns } from "../tree/account_rows.ts";

/** A token that is not stored yet. */
interface MadeToken {
  readonly id: string;
  /** `barge_ID_SECRET`, which is not stored. */
  readonly text: string;
  readonly verifier: Verifier;
}

/** The columns of a scope, and whether the token has expired. */
const scopeColumns = `token.access, token.path, token.doors, token.networks, token.expires,
  coalesce(token.expires <= now_ms(), false) AS expired`;
/** The same as one value, beside the columns of an account, which have some of its names. */
const scopeValue = `(SELECT to_jsonb(s) FROM (SELECT ${scopeColumns}) AS s) AS scope`;

/** Makes a token with 256 random bits. */
export async function makeToken(): Promise<MadeToken> {
  const id = randomBytes(6).toString("hex");
  const secret = randomBytes(32).toString("base64url");
  const verifier = await makeVerifier("token", secret);
  return { id, text: `barge_${id}_${secret}`, verifier };
}

/**
 * Adds a token to an account, and drops expired ones: see `LoginStore.issueToken`. The caller has locked the
 * account's row.
 *
 * @throws {BargeError} `refused` when the account has too many
 */
export async function insertToken(
  tx: Statements,
  { id, verifier }: MadeToken,
  { account, label, origin, scope = fullScope }: {
    readonly account: number;
    readonly label: string;
    /** The id of the token with which the login began; null for none. */
    readonly origin: string | null;
    readonly scope?: Scope;
  },
): Promise<void> {
  const expired = "DELETE FROM token WHERE account = $1 AND expires <= now_ms() - $2::bigint";
  await tx.all(expired, account, listedTokenMs);
  if (await countTokens(tx, account) >= maxTokens) await tx.all(expired, account, 0);
  if (await countTokens(tx, account) >= maxTokens) {
    throw new BargeError("refused", `the account has ${maxTokens} tokens, as many as it may`, {
      hint: "revoke some: with `barge logout` where they are used, on the page, or have the " +
        "operator run `barge user tokens NAME --revoke ID`",
    });
  }
  const { access, path, doors, networks, expires } = scopeRow(scope);
  await tx.all(
    `INSERT INTO token (id, account, label, verifier, issued_by, access, path, doors, networks, expires)
     VALUES ($1, $2::bigint, $3, $4::text::jsonb, $5, $6, $7, $8, $9, $10::bigint)`,
    id,
    account,
    label.slice(0, 200),
    JSON.stringify(verifier),
    origin,
    access,
    path,
    doors,
    networks,
    expires,
  );
}

async function countTokens(tx: Statements, account: number): Promise<number> {
  const sql = "SELECT count(*) AS n FROM token WHERE account = $1";
  const [{ n }] = await tx.all<{ n: number }>(sql, account);
  return n;
}

/** Returns an account's tokens, the oldest first. */
export async function tokensOf(db: Statements, account: number): Promise<readonly Token[]> {
  type Row = ScopeRow & Omit<Token, keyof Scope>;
  const rows = await db.all<Row>(
    `SELECT id, label, created, used, used_from AS "usedFrom", ${scopeColumns}
     FROM token WHERE account = $1 ORDER BY created, id`,
    account,
  );
  return rows.map((row) => {
    const { id, label, created, used, usedFrom, expired } = row;
    return { id, label, created, used, usedFrom, ...scopeOf(row), expired };
  });
}

/** Returns the account, the verifier and the scope of a token. */
export async function provableToken(
  db: Statements,
  id: string,
): Promise<ProvableToken | undefined> {
  type Row = Account & { verifier: Verifier; scope: ScopeRow & { readonly expired: boolean } };
  const [row] = await db.all<Row>(
    `SELECT ${accountColumns}, token.verifier, ${scopeValue} FROM token
     JOIN account ON account.id = token.account WHERE token.id = $1`,
    id,
  );
  if (!row) return undefined;
  const { verifier, scope: { expired, ...scope }, ...account } = row;
  return { account, verifier, scope: scopeOf(scope), expired, credential: { kind: "token", id } };
}
