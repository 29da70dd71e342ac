/**
 * The state of the regular verification on shared storage: see core/storage/verify/verification.ts.
 *
 * The lease is renewed by each save, and ends by the clock of the database.
 */
import {
  type Verification,
  type VerificationRow,
  verificationState,
} from "../../storage/verify/verification.ts";
import { leaseSql } from "../database/lease.ts";
import type { Postgres } from "../database/postgres.ts";

/** The time for which a node keeps the round without a save, in ms. */
const leaseMs = 60_000;

const columns = "began, position, files, bytes, bad, finished, summary";
const lease = leaseSql({ holder: "node", until: "lease" }, "$1", leaseMs);

/** Returns the state, without the check itself. @param node the id of this node */
export function sharedVerification(db: Postgres, node: string): Omit<Verification, "check"> {
  return {
    async read() {
      const [row] = await db.all<VerificationRow>(`SELECT ${columns} FROM verification`);
      return verificationState(row);
    },
    async take(everyMs) {
      // One statement, so that of several nodes one takes the round.
      const isNew = "began IS NULL";
      const [row] = await db.all<VerificationRow>(
        `UPDATE verification SET ${lease.take},
           began = coalesce(began, now_ms()),
           position = CASE WHEN ${isNew} THEN '' ELSE position END,
           files = CASE WHEN ${isNew} THEN 0 ELSE files END,
           bytes = CASE WHEN ${isNew} THEN 0 ELSE bytes END,
           bad = CASE WHEN ${isNew} THEN 0 ELSE bad END
         WHERE ${lease.isFree}
           AND (began IS NOT NULL OR finished IS NULL OR finished + $2::bigint <= now_ms())
         RETURNING ${columns}`,
        node,
        everyMs,
      );
      return row && verificationState(row);
    },
    async save({ position, files, bytes, bad }) {
      const rows = await db.all(
        `UPDATE verification SET position = $2, files = $3::bigint, bytes = $4::bigint,
           bad = $5::bigint, ${lease.take} WHERE node = $1 RETURNING 1`,
        node,
        position,
        files,
        bytes,
        bad,
      );
      return rows.length > 0;
    },
    async finish(counts) {
      const rows = await db.all(
        `UPDATE verification SET began = NULL, finished = now_ms(), summary = $2,
           node = NULL, lease = NULL WHERE node = $1 RETURNING 1`,
        node,
        JSON.stringify(counts),
      );
      return rows.length > 0;
    },
    async release() {
      await db.all("UPDATE verification SET node = NULL, lease = NULL WHERE node = $1", node);
    },
  };
}
