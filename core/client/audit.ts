/** Gets the audit trail of a server. For admins. */
import type { Answer, RequestInput } from "../protocol/message.ts";
import type { Client } from "./client.ts";

/** A record of the audit trail; times are in RFC 3339. */
export type AuditRecord = Answer<"audit">["records"][number];

/**
 * Gets records, the newest first.
 *
 * @param query.since only events since this time, in RFC 3339
 * @param query.account only events about, or by, this account
 * @param onRecords called for each part of the answer
 * @throws {BargeError} `denied` without the role admin; `unsupported` by an older server
 */
export async function audit(
  client: Client,
  query: Omit<RequestInput<"audit">, "verb">,
  onRecords: (records: readonly AuditRecord[]) => void,
): Promise<void> {
  await client.request({ verb: "audit", ...query }, async (frames) => {
    for (let more = true; more;) {
      const page = await client.next("audit", frames);
      more = page.more;
      onRecords(page.records);
    }
  });
}
