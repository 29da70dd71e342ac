// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
import type { EventSelection, EventStore, ListedEvent } from "../storage/events.ts";
import type { PartsWithCommits } from "./commit.ts";

/** A row of the table `event`. */
export interface EventRow {
  readonly id: number;
  readonly target: string;
  readonly places: string;
  readonly facts: string;
  readonly at: number;
  readonly attempts: number;
  readonly due: number;
  readonly error: string | null;
}

/** The key of the number of retries and drops by an operator, in the table `meta`. */
const generationKey = "event_generation";

/**
 * Returns the events on one machine. The only server on the directory leads for all targets. A power cut may
 * undo a deletion, so that an event is delivered again.
 */
export function localEvents(parts: PartsWithCommits): EventStore {
  const { commits, db, outbox } = parts;

  const generation = () =>
    Number(db.value<string>("SELECT value FROM meta WHERE key = ?", generationKey) ?? 0);

  /** Runs a change by an operator, which the server notices. */
  const byOperator = (sql: string, selection: EventSelection) =>
    db.transaction(() => {
      db.upsert("meta", { key: generationKey }, { value: `${generation() + 1}` });
      return db.run(`${sql} WHERE ${selected}`, ...valuesOf(selection)).changes;
    });

  return {
    configure: async (targets) => outbox.record(targets),
    lead: async () => ({ validMs: Infinity, generation: generation() }),
    resign: async () => {},
    async waiting(target, after, limit) {
      const rows = db.all<Omit<EventRow, "target" | "facts" | "error">>(
        `SELECT id, places, at, attempts, due FROM event WHERE target = ? AND id > ?
         ORDER BY id LIMIT ?`,
        target,
        after,
        limit,
      );
      return { events: rows.map(waitingOf), settled: rows.at(-1)?.id ?? after };
    },
    facts: async (id) => db.value("SELECT facts FROM event WHERE id = ?", id),
    remove: (ids) =>
      commits.note(() => {
        const sql = "DELETE FROM event WHERE id IN (SELECT value FROM json_each(?))";
        db.run(sql, JSON.stringify(ids));
      }),
    postpone: (failures) =>
      commits.note(() => {
        const sql = "UPDATE event SET attempts = attempts + 1, due = ?, error = ? WHERE id = ?";
        const now = Date.now();
        db.runAll(sql, failures.map(({ id, inMs, error }) => [Math.round(now + inMs), error, id]));
      }),
    removeOlder: (ageMs) =>
      commits.note(() => db.run("DELETE FROM event WHERE at < ?", Date.now() - ageMs).changes),
    async list({ target, failing }, limit) {
      const values = valuesOf({ target, failing });
      const sql = `SELECT * FROM event WHERE ${selected} ORDER BY id LIMIT ?4`;
      return db.all<EventRow>(sql, ...values, limit).map((row): ListedEvent => {
        const { target, facts, error } = row;
        return { ...waitingOf(row), target, facts, error };
      });
    },
    retry: async (selection) => byOperator("UPDATE event SET due = 0", selection),
    drop: async (selection) => byOperator("DELETE FROM event", selection),
  };
}

/** The condition of a selection, in SQL, with the parameters of {@link valuesOf}. */
const selected = `(?1 IS NULL OR id IN (SELECT value FROM json_each(?1)))
  AND (?2 IS NULL OR target = ?2) AND (?3 = 0 OR attempts > 0)`;

function valuesOf({ ids, target, failing }: EventSelection) {
  return [ids ? JSON.stringify(ids) : null, target ?? null, failing ? 1 : 0];
}

function waitingOf(
  { id, places, at, attempts, due }: Omit<EventRow, "target" | "facts" | "error">,
) {
  return { id, places: JSON.parse(places), at, attempts, dueInMs: due - Date.now() };
}
