/**
 * Events in the database, which one node delivers for all. The node that leads for a target has a lease in
 * `event_target`, by the clock of the database; another node takes over once the lease has ended.
 */
import type {
  EventSelection,
  EventStore,
  EventTarget,
  Lead,
  ListedEvent,
  WaitingEvent,
} from "../storage/events.ts";
import { leaseSql } from "./database/lease.ts";
import type { Postgres } from "./database/postgres.ts";

/** The time after which the lead of a node ends that does not renew it, in ms. */
const leaseMs = 10_000;
const lease = leaseSql({ holder: "leader", until: "until" }, "$2", leaseMs);

/** Columns of a {@link WaitingEvent}. */
const waitingColumns = `id, places::jsonb AS places, at, attempts, due - now_ms() AS "dueInMs"`;

/** A row with the transactions that run while it is read: those from `oldest` on, and all from `next` on. */
interface Row extends WaitingEvent {
  readonly oldest: number;
  readonly next: number;
}

/**
 * The ids that transactions under way may still bring. The id of a row is assigned in a transaction that has
 * an id already, so once all transactions have ended that had begun when the row `last` was read, no more rows
 * with lower ids appear.
 */
interface Horizon {
  readonly settled: number;
  readonly last: number;
  readonly next: number;
}

export class SharedEvents implements EventStore {
  readonly #db: Postgres;
  readonly #horizons = new Map<string, Horizon>();

  constructor(db: Postgres) {
    this.#db = db;
  }

  async configure(targets: readonly EventTarget[]): Promise<void> {
    for (const { name, commitsOnly } of targets) {
      await this.#db.all(
        `INSERT INTO event_target (name, commits_only) VALUES ($1, $2::boolean)
         ON CONFLICT (name) DO UPDATE SET seen = now(), commits_only = excluded.commits_only`,
        name,
        commitsOnly,
      );
    }
  }

  async lead(target: string, server: string): Promise<Lead | undefined> {
    const [row] = await this.#db.all<{ generation: number }>(
      `UPDATE event_target SET seen = now(), ${lease.take} WHERE name = $1 AND ${lease.isFree}
       RETURNING generation`,
      target,
      server,
    );
    return row && { validMs: leaseMs, generation: row.generation };
  }

  async resign(target: string, server: string): Promise<void> {
    const sql = "UPDATE event_target SET leader = NULL WHERE name = $1 AND leader = $2";
    await this.#db.all(sql, target, server);
  }

  async waiting(
    target: string,
    after: number,
    limit: number,
  ): Promise<{ readonly events: readonly WaitingEvent[]; readonly settled: number }> {
    const rows = await this.#db.all<Row>(
      `SELECT ${waitingColumns}, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest,
         pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next
       FROM event WHERE target = $1 AND id > $2::bigint ORDER BY id LIMIT ${limit}`,
      target,
      after,
    );
    return { events: rows, settled: this.#settledAfter(target, after, rows) };
  }

  #settledAfter(target: string, after: number, rows: readonly Row[]): number {
    const last = rows.at(-1);
    if (!last) return after;
    let horizon = this.#horizons.get(target);
    if (!horizon || last.oldest >= horizon.next) {
      const settled = horizon ? Math.max(after, horizon.last) : after;
      horizon = { settled, last: last.id, next: last.next };
      this.#horizons.set(target, horizon);
    }
    return Math.min(horizon.settled, last.id);
  }

  async facts(id: number): Promise<string | undefined> {
    const sql = "SELECT facts FROM event WHERE id = $1";
    return (await this.#db.all<{ facts: string }>(sql, id))[0]?.facts;
  }

  async remove(ids: readonly number[]): Promise<void> {
    await this.#db.all(
      `DELETE FROM event WHERE id IN
         (SELECT value::bigint FROM jsonb_array_elements_text($1::text::jsonb))`,
      JSON.stringify(ids),
    );
  }

  async postpone(
    failures: readonly { readonly id: number; readonly inMs: number; readonly error: string }[],
  ): Promise<void> {
    const rows = failures.map(({ inMs, ...row }) => ({ ...row, after: Math.round(inMs) }));
    await this.#db.all(
      `UPDATE event SET attempts = attempts + 1, due = now_ms() + f.after, error = f.error
       FROM jsonb_to_recordset($1::text::jsonb) AS f (id bigint, after bigint, error text)
       WHERE event.id = f.id`,
      JSON.stringify(rows),
    );
  }

  async removeOlder(ageMs: number): Promise<number> {
    const sql = "DELETE FROM event WHERE at < now_ms() - $1::bigint RETURNING id";
    return (await this.#db.all(sql, ageMs)).length;
  }

  async list(
    { target, failing }: Pick<EventSelection, "target" | "failing">,
    limit: number,
  ): Promise<readonly ListedEvent[]> {
    return await this.#db.all<ListedEvent>(
      `SELECT ${waitingColumns}, target, facts, error FROM event WHERE ${selected}
       ORDER BY id LIMIT $4::bigint`,
      ...valuesOf({ target, failing }),
      limit,
    );
  }

  async retry(selection: EventSelection): Promise<number> {
    return await this.#byOperator("UPDATE event SET due = 0", selection);
  }

  async drop(selection: EventSelection): Promise<number> {
    return await this.#byOperator("DELETE FROM event", selection);
  }

  /** Runs a change by an operator, which the leading nodes notice. */
  async #byOperator(sql: string, selection: EventSelection): Promise<number> {
    return await this.#db.transaction(async (tx) => {
      const rows = await tx.all(`${sql} WHERE ${selected} RETURNING id`, ...valuesOf(selection));
      await tx.all("UPDATE event_target SET generation = generation + 1");
      return rows.length;
    });
  }
}

/** The condition of a selection, in SQL, with the parameters of {@link valuesOf}. */
const selected = `($1::text IS NULL OR id IN
    (SELECT value::bigint FROM jsonb_array_elements_text($1::text::jsonb)))
  AND ($2::text IS NULL OR target = $2) AND (NOT $3::boolean OR attempts > 0)`;

function valuesOf(
  { ids, target, failing = false }: EventSelection,
): [ids: string | null, target: string | null, failing: boolean] {
  return [ids ? JSON.stringify(ids) : null, target ?? null, failing];
}
