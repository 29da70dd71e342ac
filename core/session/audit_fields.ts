/** A record of the audit trail in the fields that PROTOCOL.md defines ("Audit"). */
import type { AuditRecord } from "../storage/audit/audit.ts";

/** A record as clients see it: in messages, in the API and in `--json`. */
export interface AuditFields {
  readonly id: number;
  /** The times of the first and of the last of its events, in RFC 3339. */
  readonly time: string;
  readonly last: string;
  readonly count: number;
  readonly event: string;
  /** The account that the event is about; null for none. */
  readonly account: string | null;
  /** The account that acted; null for the operator, and for a client that is not logged in. */
  readonly by: string | null;
  readonly address: string | null;
  readonly door: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Returns a record as clients see it. */
export function auditFields({ id, at, last, count, event, account, by, details }: AuditRecord) {
  const time = (ms: number) => new Date(ms).toISOString();
  const { account: actor, address, door } = by;
  const who = { account, by: actor, address, door };
  return { id, time: time(at), last: time(last), count, event, ...who, details } as AuditFields;
}
