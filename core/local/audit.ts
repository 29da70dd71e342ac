// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
/** The audit trail on one machine. */
import type { AuditStore } from "../storage/audit/audit.ts";
import { LoginRecords } from "../storage/audit/login_records.ts";
import { Group } from "./group.ts";
import type { Parts } from "./parts.ts";

/** Returns the audit trail; its disposal writes the counts of logins that are not written yet. */
export function localAudit({ audit, db }: Parts): AuditStore & Disposable {
  const group = new Group(db, { unsynced: true });
  const logins = new LoginRecords((entries) => group.submit(() => audit.merge(entries)));
  return {
    note: (entry) => logins.note(entry),
    add: async (entry) => audit.recording((record) => record(entry)),
    list: async (query) => audit.list(query),
    prune: async (days) => audit.prune(days),
    [Symbol.dispose]() {
      const counts = logins.take();
      if (counts.length > 0) db.bestEffort(() => audit.merge(counts));
    },
  };
}
