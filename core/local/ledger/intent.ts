/**
 * Intents: a rename or removal is recorded before it is done, so that a start after a crash can bring
 * the ledger in line with the disk.
 */
import type { Place } from "../../storage/place.ts";
import { Table } from "../database/table.ts";

/** A rename (`move`), or a removal, which renames into staging. */
export interface Intent {
  readonly id: number;
  readonly verb: "move" | "remove";
  readonly from: Place;
  readonly to: Place;
}

type Row = Pick<Intent, "id" | "verb"> & Record<"dir" | "name" | "to_dir" | "to_name", string>;

export class Intents extends Table {
  /** Records a rename or removal that is about to happen. @returns its id */
  intend(verb: "move" | "remove", from: Place, to: Place): number {
    const { dir, name } = from;
    return this.db.insert("intent", { verb, dir, name, to_dir: to.dir, to_name: to.name }).id;
  }

  /** Deletes an intent that is settled. @returns whether it was still open */
  done(intent: number): boolean {
    return this.db.run("DELETE FROM intent WHERE id = ?", intent).changes > 0;
  }

  /** Returns the open intents, the oldest first. */
  intents(): Intent[] {
    return this.db.all<Row>("SELECT * FROM intent ORDER BY id")
      .map(({ id, verb, dir, name, to_dir, to_name }) => (
        { id, verb, from: { dir, name }, to: { dir: to_dir, name: to_name } }
      ));
  }
}
