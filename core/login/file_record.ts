/** The records of changes of files in the audit trail. */
import type { AuditDetails, AuditEntry } from "../storage/audit/audit.ts";
import { fileChanged, type FileEvent } from "../storage/audit/entries.ts";
import type { Session } from "./session.ts";

/** Returns the record of a change of a file or folder; undefined where the operator wants none. */
export function fileRecord(
  { actor, store }: Session,
  event: FileEvent,
  details: AuditDetails,
): AuditEntry | undefined {
  return store.settings.auditFiles ? fileChanged(event, actor, details) : undefined;
}
