/**
 * From the tables of an older barge to this one's, with a way back: the database as it was is kept
 * beside it, as `accounts.db.version-N`.
 *
 * An older server that still runs would write to tables that it does not know. So this is for who
 * keeps all servers out of the directory: `core/serve/data.ts` does.
 */
import { foreignOwner, giveTo } from "../net/owner.ts";
import { backup } from "./backup.ts";
import { Database, databaseFile } from "./database.ts";
import { migrations } from "./schema.ts";

export interface Upgraded {
  /** Versions of the tables. */
  readonly from: number;
  readonly to: number;
  /** Where the database is kept as it was. */
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
