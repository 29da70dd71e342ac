// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
/** The state of the regular verification on one machine: see core/storage/verify/verification.ts. */
import {
  type Verification,
  type VerificationRow,
  verificationState,
} from "../storage/verify/verification.ts";
import type { Database } from "./database/database.ts";

/** Returns the state, without the check itself: the lock on the data directory lets one server have it. */
export function localVerification(db: Database): Omit<Verification, "check"> {
  const read = () => {
    const columns = "began, position, files, bytes, bad, finished, summary";
    return verificationState(db.get<VerificationRow>(`SELECT ${columns} FROM verification`)!);
  };
  return {
    read: async () => read(),
    take: async (everyMs) =>
      db.transaction(() => {
        const state = read();
        if (state.began !== null) return state;
        const now = Date.now();
        if (state.finished !== null && now < state.finished + everyMs) return undefined;
        const sql =
          `UPDATE verification SET began = ?, position = '', files = 0, bytes = 0, bad = 0`;
        db.run(sql, now);
        return read();
      }),
    async save({ position, files, bytes, bad }) {
      const sql = "UPDATE verification SET position = ?, files = ?, bytes = ?, bad = ?";
      db.unsyncedTransaction(() => db.run(sql, position, files, bytes, bad));
      return true;
    },
    async finish(counts) {
      const sql = "UPDATE verification SET began = NULL, finished = ?, summary = ?";
      db.transaction(() => db.run(sql, Date.now(), JSON.stringify(counts)));
      return true;
    },
    release: async () => {},
  };
}
