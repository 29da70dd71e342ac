/** Copies the audit trail between the kinds of storage, a page at a time, in place of the target's own. */
import type { Database } from "../local/database/database.ts";
import type { Statements } from "../shared/database/postgres.ts";
import type { AuditRow } from "../storage/audit/audit.ts";
import { pagesById } from "./pages.ts";

interface Row extends AuditRow {
  readonly id: number;
  readonly at: number;
  readonly last: number;
  readonly count: number;
  readonly merged: string | null;
}

const columns = "class, event, account, actor, address, door, details, at, last, count, merged";
const pageRecords = 1000;

/** Copies the trail of a data directory, in a transaction of the target. */
export async function sendAudit(db: Database, tx: Statements): Promise<void> {
  await tx.all("DELETE FROM audit");
  const sql = `SELECT id, ${columns} FROM audit WHERE id > ? ORDER BY id LIMIT ${pageRecords}`;
  for await (const rows of pagesById((after) => db.all<Row>(sql, after))) {
    await tx.all(
      `INSERT INTO audit (${columns}) SELECT ${columns}
       FROM jsonb_to_recordset($1::text::jsonb) AS r (id bigint, class text, event text, account text,
         actor text, address text, door text, details text, at bigint, last bigint, count bigint,
         merged text) ORDER BY id`,
      JSON.stringify(rows),
    );
  }
}

/** Copies the trail of shared storage. A copy that is cut off is begun again. */
export async function receiveAudit(from: Statements, db: Database): Promise<void> {
  db.run("DELETE FROM audit");
  const sql =
    `SELECT id, ${columns} FROM audit WHERE id > $1::bigint ORDER BY id LIMIT ${pageRecords}`;
  for await (const rows of pagesById((after) => from.all<Row>(sql, after))) {
    db.transaction(() => rows.forEach((row) => db.insert("audit", { ...row })));
  }
}
