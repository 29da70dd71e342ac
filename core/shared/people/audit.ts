/** The audit trail, as rows of the database: see core/storage/audit/audit.ts. */
import { dayMs } from "../../duration.ts";
import {
  auditBounds,
  type AuditEntry,
  type AuditQuery,
  type AuditRecord,
  auditRecord,
  type AuditRow,
  auditRow,
  type AuditStore,
} from "../../storage/audit/audit.ts";
import { LoginRecords, type MergedEntry } from "../../storage/audit/login_records.ts";
import { recordColumns, recording, recordNames } from "../database/audit_rows.ts";
import type { Postgres, Statements, Value } from "../database/postgres.ts";

/**
 * Adds events to the records with their keys. The commit waits for no sync of the database's disk: a crash of
 * the database may lose the last moment of logins, and no change.
 */
async function merge(db: Statements, entries: readonly MergedEntry[]): Promise<void> {
  // In the order of their keys, so that nodes that write the same records do not deadlock.
  const rows = entries.map(({ entry, key, count }) => ({ ...auditRow(entry), merged: key, count }))
    .sort((a, b) => a.merged < b.merged ? -1 : 1);
  await db.all(
    `WITH unsynced AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
     INSERT INTO audit (${recordNames}, merged, count) SELECT ${recordNames}, merged, count
     FROM unsynced, jsonb_to_recordset($1::text::jsonb) AS r (${recordColumns}, merged text, count bigint)
     ON CONFLICT (merged) DO UPDATE SET count = audit.count + excluded.count, last = now_ms()`,
    JSON.stringify(rows),
  );
}

export class SharedAudit implements AuditStore, AsyncDisposable {
  readonly #db: Postgres;
  readonly #logins: LoginRecords;

  constructor(db: Postgres) {
    this.#db = db;
    this.#logins = new LoginRecords((entries) => merge(db, entries));
  }

  async note(entry: AuditEntry): Promise<void> {
    await this.#logins.note(entry);
  }

  async add(entry: AuditEntry): Promise<void> {
    await recording(this.#db, (_, record) => record(entry));
  }

  async list({ since, account, before, limit }: AuditQuery): Promise<readonly AuditRecord[]> {
    type Row = AuditRow & Pick<AuditRecord, "id" | "at" | "last" | "count">;
    const given: Value[] = [before ?? Number.MAX_SAFE_INTEGER, since ?? -1, limit];
    // Two searches by index, since a condition with OR would read the whole table.
    const part = (condition: string) =>
      `(SELECT id, ${recordNames}, at, last, count FROM audit
       WHERE id < $1::bigint AND last >= $2::bigint ${condition} ORDER BY id DESC LIMIT $3::bigint)`;
    const sql = account === undefined
      ? part("")
      : `${part("AND lower(account) = lower($4)")} UNION ${part("AND lower(actor) = lower($4)")}
         ORDER BY id DESC LIMIT $3::bigint`;
    const rows = await this.#db.all<Row>(sql, ...given, ...account === undefined ? [] : [account]);
    return rows.map(auditRecord);
  }

  async prune(days: number): Promise<void> {
    await this.#db.all("DELETE FROM audit WHERE last < now_ms() - $1::bigint", days * dayMs);
    for (const [name, bound] of Object.entries(auditBounds)) {
      await this.#db.all(
        `DELETE FROM audit WHERE class = $1 AND id <=
           (SELECT id FROM audit WHERE class = $1 ORDER BY id DESC LIMIT 1 OFFSET $2::bigint)`,
        name,
        bound,
      );
    }
  }

  /** Writes the counts of logins that are not written yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    const counts = this.#logins.take();
    if (counts.length > 0) await merge(this.#db, counts).catch(() => {/* the database is gone */});
  }
}
