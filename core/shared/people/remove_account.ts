/** Removes an account with its uploads, and moves its home aside or removes it. */
import type { Account } from "../../storage/account.ts";
import type { RemovedAccount } from "../../storage/accounts.ts";
import type { Actor } from "../../storage/audit/audit.ts";
import { accountRemoved } from "../../storage/audit/entries.ts";
import type { Record } from "../database/audit_rows.ts";
import { encodeName } from "../database/name.ts";
import type { Statements } from "../database/postgres.ts";
import { below, nodeAt } from "../tree/node_rows.ts";
import { removeNode } from "../tree/remove_node.ts";

/**
 * Removes an account in a transaction, and records that.
 *
 * @param purge true: its files are removed, too. Else they stay, and its home is kept in `removed`
 */
export async function removeAccount(
  tx: Statements,
  record: Record,
  { account: { id, name }, purge, by }: {
    readonly account: Account;
    readonly purge: boolean;
    readonly by: Actor;
  },
): Promise<RemovedAccount> {
  const owned = await ownedBy(tx, id);
  const home = await nodeAt(tx, { dir: "homes", name });
  // Locks the spaces that the account has files in: earlier changes in them have then ended, later ones wait.
  await tx.all(
    "SELECT id FROM node WHERE id = 2 OR id = $1::bigint ORDER BY id FOR NO KEY UPDATE",
    home?.id ?? 0,
  );
  await tx.all("DELETE FROM upload WHERE account = $1", id);
  if (purge) await tx.all("DELETE FROM node WHERE owner = $1 AND NOT folder", id);
  const kept = home && await keepHome(tx, name, home.id, purge);
  await tx.all("DELETE FROM account WHERE id = $1", id);
  await record(accountRemoved(name, owned, purge, by));
  return { kept: kept ?? null, ...owned };
}

/** Returns the number of files that an account is charged for, and their bytes. */
export async function ownedBy(
  db: Statements,
  id: number,
): Promise<{ readonly files: number; readonly bytes: number }> {
  const [owned] = await db.all<{ files: number; bytes: number }>(
    `SELECT count(*) AS files, coalesce(sum(size), 0)::bigint AS bytes FROM node
     WHERE owner = $1 AND NOT folder`,
    id,
  );
  return owned;
}

/** Moves a home aside, or removes it. @returns where it is kept; undefined for nowhere */
async function keepHome(
  tx: Statements,
  name: string,
  home: number,
  purge: boolean,
): Promise<string | undefined> {
  await tx.all(`${below} DELETE FROM upload USING below WHERE upload.parent = below.id`, home);
  const inside = await tx.all("SELECT 1 FROM node WHERE parent = $1 LIMIT 1", home);
  if (purge || inside.length === 0) {
    await removeNode(tx, home);
    return undefined;
  }
  const kept = `${name}-${new Date().toISOString().replaceAll(":", "-")}`;
  await tx.all(
    "UPDATE node SET parent = 3, name = decode($2, 'hex') WHERE id = $1",
    home,
    encodeName(kept),
  );
  return `removed/${kept}`;
}
