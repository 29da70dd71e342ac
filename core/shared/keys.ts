/** Public keys of accounts, with which SSH clients log in. */
import { BargeError } from "../error.ts";
import { accountIsGone } from "../storage/account_rules.ts";
import { maxKeys } from "../storage/bounds.ts";
import { type AuthorizedKey, fingerprintOf, type PublicKey } from "../storage/public_key.ts";
import type { Statements } from "./postgres.ts";

/** Returns an account's keys, the oldest first. */
export async function keysOf(db: Statements, account: number): Promise<PublicKey[]> {
  return await db.all<PublicKey>(
    `SELECT fingerprint, type, comment, added, used FROM public_key
     WHERE account = $1 ORDER BY added, fingerprint`,
    account,
  );
}

/** Adds keys to an account: see `LoginStore.addKeys`. */
export async function addKeys(
  tx: Statements,
  account: number,
  keys: readonly AuthorizedKey[],
): Promise<boolean[]> {
  // Keys of one account are counted by one transaction after the other.
  const found = await tx.all("SELECT 1 FROM account WHERE id = $1 FOR NO KEY UPDATE", account);
  if (found.length === 0) throw accountIsGone();
  const added: boolean[] = [];
  for (const { type, blob, comment } of keys) {
    const rows = await tx.all(
      `INSERT INTO public_key (account, fingerprint, type, blob, comment)
       VALUES ($1::bigint, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING 1`,
      account,
      fingerprintOf(blob),
      type,
      blob.toBase64(),
      comment,
    );
    added.push(rows.length > 0);
  }
  const sql = "SELECT count(*) AS n FROM public_key WHERE account = $1";
  const [{ n }] = await tx.all<{ n: number }>(sql, account);
  if (n <= maxKeys || !added.includes(true)) return added;
  throw new BargeError("refused", `the account has ${maxKeys} keys, as many as it may`, {
    hint: "remove some: `barge user key remove`",
  });
}
