/**
 * Upgrades the tables of an older barge. A copy of the old database is kept beside it, as
 * `accounts.db.version-N`.
 *
 * A running older server would write to tables that it does not know, so the caller must keep all
 * servers out of the directory, as `core/serve/data.ts` does.
 */
import { foreignOwner, giveTo } from "../net/owner.ts";
import { backup } from "./backup.ts";
import { Database, databaseFile } from "./database.ts";
import { migrations } from "./schema.ts";

export interface Upgraded {
  /** Versions of the tables. */
  readonly from: number;
  readonly to: number;
  /** The path of the copy of the old database. */
  readonly copy: string;
}

/**
 * Copies the database, and then changes its tables, all of them or none.
 *
 * @param data the data directory, which no server and no other command uses
 * @param from the version that its tables have
 * @throws {BargeError} as `backup` and `Database` do; the tables are then as they were
 */
export async function upgrade(data: string, from: number): Promise<Upgraded> {
  const copy = `${data}/${databaseFile}.version-${from}`;
  await backup(data, copy, { force: true, tables: from });
  giveTo(foreignOwner(data), copy);
  new Database(data, { upgrade: true })[Symbol.dispose]();
  return { from, to: migrations.length, copy };
}
