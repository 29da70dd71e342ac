/**
 * The names of objects that this process may write, each with its row in the database. Rows are made in
 * batches, so that a small upload costs no statement for it. A name that was not used in time is the
 * collector's.
 */
import { BargeError } from "../error.ts";
import type { Postgres, Statements } from "./postgres.ts";

const batch = 64;
/** The time in which a piece must refer to an object, in minutes. */
const claimMinutes = 60;
/** A name is used for a write in this time from its making, in ms: the write has the rest to end. */
const useMs = 30 * 60_000;

export class Objects {
  readonly #db: Postgres;
  #free: number[] = [];
  #made = 0;
  #making: Promise<void> | undefined;

  constructor(db: Postgres) {
    this.#db = db;
  }

  /** Takes a name that nobody else has. @throws {BargeError} `unavailable` */
  async take(): Promise<number> {
    for (;;) {
      if (performance.now() - this.#made > useMs) this.#free = [];
      const id = this.#free.pop();
      if (id !== undefined) return id;
      await (this.#making ??= this.#make().finally(() => this.#making = undefined));
    }
  }

  async #make(): Promise<void> {
    const now = performance.now();
    const rows = await this.#db.all<{ id: number }>(
      `INSERT INTO object (until) SELECT now() + interval '${claimMinutes} minutes'
       FROM generate_series(1, ${batch}) RETURNING id`,
    );
    this.#made = now;
    this.#free = rows.map(({ id }) => id).reverse();
  }
}

/** Returns the name of an object in the bucket: spread over the store, whatever its number. */
export function objectName(id: number): string {
  const hex = id.toString(16).padStart(12, "0");
  return `${[...hex.slice(-3)].reverse().join("")}/${hex}`;
}

/** Marks objects as referred to by pieces. @throws {BargeError} `unavailable` where one has expired */
export async function claimObjects(db: Statements, ids: readonly number[]): Promise<void> {
  const unique = [...new Set(ids)];
  const claimed = await db.all(
    `UPDATE object SET until = NULL
     WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::text::jsonb))
       AND (until IS NULL OR until > now()) RETURNING id`,
    JSON.stringify(unique),
  );
  if (claimed.length < unique.length) {
    throw new BargeError("unavailable", "the upload took too long to be recorded", {
      hint: "send it again",
    });
  }
}

/**
 * Gives objects to the collector that no piece refers to any more. Readers have an hour to end.
 *
 * @param db a transaction
 */
export async function releaseObjects(db: Statements, ids: Iterable<number>): Promise<void> {
  const unique = [...new Set(ids)];
  if (unique.length === 0) return;
  const objects = JSON.stringify(unique);
  const given = "id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::text::jsonb))";
  // Two transactions that remove the last two pieces of an object take turns: the second one sees neither.
  await db.all(`SELECT 1 FROM object WHERE ${given} ORDER BY id FOR NO KEY UPDATE`, objects);
  await db.all(
    `UPDATE object SET until = now() + interval '${claimMinutes} minutes'
     WHERE until IS NULL AND ${given}
       AND NOT EXISTS (SELECT 1 FROM piece WHERE piece.object = object.id)`,
    objects,
  );
}
