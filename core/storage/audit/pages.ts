/** Reads the audit trail in pages. */
import { type AuditQuery, type AuditRecord, type AuditStore, maxAuditPage } from "./audit.ts";

/** Returns the `before` of the page behind one of at most `limit` records; undefined after the last. */
export function nextBefore(records: readonly AuditRecord[], limit: number): number | undefined {
  return records.length < limit ? undefined : records.at(-1)!.id;
}

/**
 * Yields all records of a query, a page at a time, the newest first.
 *
 * @param list reads a page, as `AuditStore.list`
 * @throws the failure of `list`
 */
export async function* auditPages(
  list: AuditStore["list"],
  query: Omit<AuditQuery, "limit" | "before">,
): AsyncGenerator<readonly AuditRecord[], void, void> {
  let before: number | undefined;
  do {
    const records = await list({ ...query, before, limit: maxAuditPage });
    yield records;
    before = nextBefore(records, maxAuditPage);
  } while (before !== undefined);
}
