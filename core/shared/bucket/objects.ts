/**
 * The names of objects that this process may write, each with its row in the database. Rows are made in
 * batches, so that a small upload needs no statement of its own for its object. The collector deletes the
 * row of a name that was not used in time.
 */
import { BargeError } from "../../error.ts";
import type { Postgres, Statements } from "../database/postgres.ts";

const batch = 64;
/** The time after the insert of an object's row in which a piece must refer to it, in minutes. */
const claimMinutes = 60;
/**
 * The time after the insert of its row in which a name may be taken, in ms. The write of the object has the
 * rest of {@link claimMinutes}.
 */
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

/** Returns the name of an object in the bucket. Successive numbers have different prefixes, to spread load. */
export function objectName(id: number): string {
  const hex = id.toString(16).padStart(12, "0");
  return `${[...hex.slice(-3)].reverse().join("")}/${hex}`;
}

/** Records that pieces refer to objects. @throws {BargeError} `unavailable` where one has expired */
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
 * Lets the collector delete the objects that no piece refers to any more. It waits for an hour, so that
 * downloads under way can end.
 *
 * @param db a transaction
 */
export async function releaseObjects(db: Statements, ids: Iterable<number>): Promise<void> {
  const unique = [...new Set(ids)];
  if (unique.length === 0) return;
  const objects = JSON.stringify(unique);
  const given = "id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::text::jsonb))";
  // Without these locks, two transactions that remove the last two pieces of an object at the same time
  // would each see the other's piece.
  await db.all(`SELECT 1 FROM object WHERE ${given} ORDER BY id FOR NO KEY UPDATE`, objects);
  await db.all(
    `UPDATE object SET until = now() + interval '${claimMinutes} minutes'
     WHERE until IS NULL AND ${given}
       AND NOT EXISTS (SELECT 1 FROM piece WHERE piece.object = object.id)`,
    objects,
  );
}
