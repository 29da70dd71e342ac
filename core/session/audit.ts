/** Reads the audit trail, for admins. */
import type { Session } from "../login/session.ts";
import { type AuditQuery, type AuditRecord, maxAuditPage } from "../storage/audit/audit.ts";
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
  return { records, next: records.length < limit ? null : records.at(-1)!.id };
}

/** Yields the whole trail, a page at a time. @throws {BargeError} as {@link auditPage} */
export async function* auditPages(
  session: Session,
  query: Omit<AuditQuery, "limit" | "before">,
): AsyncGenerator<readonly AuditRecord[], void, void> {
  let before: number | undefined;
  do {
    const page = await auditPage(session, { ...query, before });
    yield page.records;
    before = page.next ?? undefined;
  } while (before !== undefined);
}
