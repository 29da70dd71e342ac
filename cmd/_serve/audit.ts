/** The options of `barge serve` for the audit trail. */
import { defaultAuditDays } from "../../core/storage/audit/audit.ts";
import { marked, valueOr, type ValuesOf } from "../_term/command.ts";
import { count, oneOf } from "../_term/value.ts";

/** SIGHUP applies other values. */
export const auditOptions = marked({
  audit: valueOr(
    oneOf("accounts", "files"),
    "accounts",
    "What the audit trail has: logins and changes of accounts, tokens, links and settings; or " +
      "`files`: each change of a file, too. Default: accounts",
  ),
  auditDays: valueOr(
    count("DAYS", 1, 3650),
    defaultAuditDays,
    `The days for which records of the audit trail are kept. Default: ${defaultAuditDays}`,
  ),
}, { reloads: "always" });

/** Returns the settings of the options. */
export function auditSettings({ audit, auditDays }: ValuesOf<typeof auditOptions>) {
  return { auditDays, auditFiles: audit === "files" };
}
