/**
 * Intents: a rename or removal is written down before it is done, so that a start after a crash can
 * tell whether it happened and bring the ledger in line with the disk.
 */
import type { Place } from "../../storage/place.ts";
import type { Database } from "../database/database.ts";

/** A rename (`move`), or a removal, which renames into staging. */
export interface Intent {
  readonly id: number;
  readonly verb: "move" | "remove";
  readonly from: Place;
  readonly to: Place;
}

export class Intents {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Notes a rename or removal that is about to happen. @returns what {@link Intents.done} takes */
  intend(verb: "move" | "remove", from: Place, to: Place): number {
    return this.#db.run(
      "INSERT INTO intent (verb, dir, name, to_dir, to_name) VALUES (?, ?, ?, ?, ?)",
      ...[verb, from.dir, from.name, to.dir, to.name],
    ).id;
  }

  /** It happened, and the ledger says so, or it did not. @returns was it still open? */
  done(intent: number): boolean {
    return this.#db.run("DELETE FROM intent WHERE id = ?", intent).changes > 0;
  }

  /** The intents that a crash left open. */
  intents(): Intent[] {
    type Row =
      & { id: number; verb: "move" | "remove" }
      & Record<"dir" | "name" | "to_dir" | "to_name", string>;
    return this.#db.all<Row>("SELECT * FROM intent ORDER BY id").map((row) => ({
      id: row.id,
      verb: row.verb,
      from: { dir: row.dir, name: row.name },
      to: { dir: row.to_dir, name: row.to_name },
    }));
  }
}
