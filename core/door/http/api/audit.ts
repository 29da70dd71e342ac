/** The audit trail, for admins. */
import { auditPage } from "../../../session/audit.ts";
import { auditFields } from "../../../session/audit_fields.ts";
import { json, operation, timeIn } from "./operation.ts";
import * as schemas from "./schemas.ts";

/** The records of a page whose client gives no number. */
const defaultPageRecords = 100;

export const audit = [
  operation("GET", "/audit", {
    id: "audit",
    verb: "audit",
    summary: "List logins, and changes of accounts, of their secrets and of settings, newest first",
    query: schemas.auditQuery,
    answers: { 200: { description: "A page of records", schema: schemas.audit } },
    problems: { 400: "A part of the query is malformed", 403: "Only for admins" },
    async handle({ session }, { query: { since, limit = defaultPageRecords, ...query } }) {
      const { records, next } = await auditPage(session, {
        ...query,
        since: since === undefined ? undefined : timeIn(since, "since"),
        limit: Math.max(1, limit),
      });
      return json({ records: records.map(auditFields), next });
    },
  }),
];
