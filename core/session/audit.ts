/** Reads the audit trail, for admins. */
import type { Session } from "../login/session.ts";
import { type AuditQuery, type AuditRecord, maxAuditPage } from "../storage/audit/audit.ts";
import { auditPages, nextBefore } from "../storage/audit/pages.ts";
import { asAdmin } from "./admin.ts";

export interface AuditPage {
  readonly records: readonly AuditRecord[];
  /** The `before` of the next page; null after the last. */
  readonly next: number | null;
}

/** Returns a page of the trail, the newest records first. @throws {BargeError} `denied` unless admin */
export async function auditPage(
  session: Session,
  query: Omit<AuditQuery, "limit"> & { readonly limit?: number },
): Promise<AuditPage> {
  const limit = Math.min(query.limit ?? maxAuditPage, maxAuditPage);
  const { audit } = (await asAdmin(session)).people;
  const records = await audit.list({ ...query, limit });
  return { records, next: nextBefore(records, limit) ?? null };
}

/** Yields the whole trail, a page at a time. @throws {BargeError} as {@link auditPage} */
export function auditTrail(
  session: Session,
  query: Omit<AuditQuery, "limit" | "before">,
): AsyncGenerator<readonly AuditRecord[], void, void> {
  return auditPages(async (page) => (await auditPage(session, page)).records, query);
}
