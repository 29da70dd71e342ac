/** Rows of the audit trail in the transactions of changes: see core/storage/audit/audit.ts. */
import { type AuditEntry, auditRow } from "../../storage/audit/audit.ts";
import { logAudit } from "../../storage/audit/log.ts";
import type { Postgres, Statements } from "./postgres.ts";

/** The columns of a row in JSON, and their names. */
export const recordColumns =
  "class text, event text, account text, actor text, address text, door text, details text";
export const recordNames = "class, event, account, actor, address, door, details";

/** Adds records in the transaction of their changes. */
export async function addRecords(tx: Statements, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await tx.all(
    `INSERT INTO audit (${recordNames}) SELECT ${recordNames}
     FROM jsonb_to_recordset($1::text::jsonb) AS r (${recordColumns})`,
    JSON.stringify(entries.map(auditRow)),
  );
}

/** Adds the record of a change. */
export type Record = (...entries: readonly AuditEntry[]) => Promise<void>;

/** Runs a change and adds its records in one transaction, and logs the records once they are committed. */
export async function recording<T>(
  db: Postgres,
  work: (tx: Statements, record: Record) => Promise<T>,
): Promise<T> {
  let recorded: AuditEntry[] = [];
  const result = await db.transaction(async (tx) => {
    recorded = []; // the transaction may run again
    return await work(tx, async (...entries) => {
      await addRecords(tx, entries);
      recorded.push(...entries);
    });
  });
  recorded.forEach(logAudit);
  return result;
}

/** Returns the name of an account that exists. */
export async function nameOf(tx: Statements, account: number): Promise<string> {
  const sql = "SELECT name FROM account WHERE id = $1";
  return (await tx.all<{ name: string }>(sql, account))[0].name;
}
