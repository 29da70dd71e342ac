/** The table of the audit trail: see core/storage/audit/audit.ts. */
import { dayMs } from "../../duration.ts";
import {
  auditBounds,
  type AuditClass,
  type AuditEntry,
  type AuditQuery,
  type AuditRecord,
  auditRecord,
  type AuditRow,
  auditRow,
} from "../../storage/audit/audit.ts";
import { logAudit } from "../../storage/audit/log.ts";
import { reached } from "../../storage/fault.ts";
import type { MergedEntry } from "../../storage/audit/login_records.ts";
import { Table } from "../database/table.ts";

/** How many records are added until those beyond the bounds are dropped. */
const pruneInterval = 256;

export class Audit extends Table {
  /** Adds a record, in the transaction of its change. */
  add(entry: AuditEntry): void {
    const now = Date.now();
    this.#added(this.db.insert("audit", { ...auditRow(entry), at: now, last: now, count: 1 }).id);
  }

  /** Adds events to the records with their keys, in a transaction. */
  merge(entries: readonly MergedEntry[]): void {
    const now = Date.now();
    for (const { entry, key, count } of entries) {
      const { changes, id } = this.db.insert(
        "audit",
        { ...auditRow(entry), at: now, last: now, count, merged: key },
        "ON CONFLICT (merged) DO NOTHING",
      );
      if (changes > 0) this.#added(id);
      else {
        const sql = "UPDATE audit SET count = count + ?, last = ? WHERE merged = ?";
        this.db.run(sql, count, now, key);
      }
    }
  }

  /**
   * Runs a change and adds its records in one transaction, and logs the records once they are committed. Call it
   * outside of transactions.
   */
  recording<T>(work: (record: (entry: AuditEntry) => void) => T): T {
    const entries: AuditEntry[] = [];
    const result = this.db.transaction(() => {
      const result = work((entry) => {
        this.add(entry);
        entries.push(entry);
      });
      reached("recorded");
      return result;
    });
    entries.forEach(logAudit);
    return result;
  }

  /** Returns records, the newest first. */
  list({ since, account, before = Number.MAX_SAFE_INTEGER, limit }: AuditQuery): AuditRecord[] {
    type Row = AuditRow & Pick<AuditRecord, "id" | "at" | "last" | "count">;
    const from = since ?? -1;
    // Two searches by index, since a condition with OR would read the whole table.
    const part = (condition: string) =>
      `SELECT * FROM (SELECT id, class, event, account, actor, address, door, details, at, last, count
       FROM audit WHERE id < ?1 AND last >= ?2 ${condition} ORDER BY id DESC LIMIT ?3)`;
    const rows = account === undefined
      ? this.db.all<Row>(part(""), before, from, limit)
      : this.db.all<Row>(
        `${part("AND account = ?4 COLLATE NOCASE")} UNION
         ${part("AND actor = ?4 COLLATE NOCASE")} ORDER BY id DESC LIMIT ?3`,
        before,
        from,
        limit,
        account,
      );
    return rows.map(auditRecord);
  }

  /** Drops records that are older than a number of days, and those beyond the bounds. */
  prune(days: number): void {
    this.db.transaction(() => {
      this.db.run("DELETE FROM audit WHERE last < ?", Date.now() - days * dayMs);
      this.#dropBeyondBounds();
    });
  }

  #added(id: number): void {
    if (id % pruneInterval === 0) this.#dropBeyondBounds();
  }

  #dropBeyondBounds(): void {
    for (const [name, bound] of Object.entries(auditBounds)) {
      const sql = `DELETE FROM audit WHERE class = ?1 AND id <=
        (SELECT id FROM audit WHERE class = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`;
      this.db.run(sql, name as AuditClass, bound);
    }
  }
}
