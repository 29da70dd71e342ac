/** The audit trail as lines of the log. */
import { getLogger } from "@logtape/logtape";
import type { AuditEntry } from "./audit.ts";

const log = getLogger(["barge", "audit"]);

/** Logs an event whose record is committed. */
export function logAudit({ event, account, by, details = {} }: AuditEntry): void {
  const { account: actor, address, door } = by;
  const isOperator = actor === null && door === null;
  const from = address === null ? "" : " from {address}";
  const through = door === null ? "" : " at {door}";
  const who = isOperator
    ? " by the operator"
    : actor === null || actor === account
    ? ""
    : " by {by}";
  const whom = account === null ? "" : " of {account}";
  const facts = { event, account, by: actor, address, door, details };
  log.info(`{event}${whom}${who}${from}${through}: {details}`, facts);
}
