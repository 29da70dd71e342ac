/**
 * Copies the events that wait for their delivery, a page at a time, in place of the target's own. Each keeps its
 * id, by which a receiver notices an event that it has had.
 */
import type { Database } from "../local/database/database.ts";
import type { EventRow } from "../local/events.ts";
import type { Outbox } from "../local/ledger/outbox.ts";
import { recordedTargets } from "../shared/database/outbox.ts";
import type { Statements } from "../shared/database/postgres.ts";
import { pagesById } from "./pages.ts";

const columns = "id, target, places, facts, at, attempts, due, error";
const pageEvents = 1000;

/** Copies the events of a data directory, and the targets of its last server, in a transaction of the target. */
export async function sendEvents(
  { db, outbox }: { readonly db: Database; readonly outbox: Outbox },
  tx: Statements,
): Promise<void> {
  await tx.all(
    `INSERT INTO event_target (name, commits_only)
     SELECT name, "commitsOnly" FROM jsonb_to_recordset($1::text::jsonb)
       AS t (name text, "commitsOnly" boolean)
     ON CONFLICT (name) DO UPDATE SET seen = now(), commits_only = excluded.commits_only`,
    JSON.stringify(outbox.recordedTargets()),
  );
  await tx.all("DELETE FROM event");
  const sql = `SELECT ${columns} FROM event WHERE id > ? ORDER BY id LIMIT ${pageEvents}`;
  let last = 0;
  for await (const rows of pagesById((after) => db.all<EventRow>(sql, after))) {
    last = rows.at(-1)!.id;
    await tx.all(
      `INSERT INTO event (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns}
       FROM jsonb_to_recordset($1::text::jsonb) AS r (id bigint, target text, places text, facts text,
         at bigint, attempts integer, due bigint, error text) ORDER BY id`,
      JSON.stringify(rows),
    );
  }
  // Later events get higher ids, since events of one path are delivered in the order of their ids.
  if (last > 0) await tx.all("SELECT setval(pg_get_serial_sequence('event', 'id'), $1)", last);
}

/** Copies the events of shared storage, and the targets of its nodes. A copy that is cut off is begun again. */
export async function receiveEvents(
  from: Statements,
  { db, outbox }: { readonly db: Database; readonly outbox: Outbox },
): Promise<void> {
  outbox.record(await recordedTargets(from));
  db.run("DELETE FROM event");
  const sql = `SELECT ${columns} FROM event WHERE id > $1::bigint ORDER BY id LIMIT ${pageEvents}`;
  for await (const rows of pagesById((after) => from.all<EventRow>(sql, after))) {
    db.transaction(() => rows.forEach((row) => db.insert("event", { ...row })));
  }
}
