/**
 * The state of a migration. The target keeps, sealed as a secret, from which directory it is filled, and that
 * this has ended. The directory gets a file `migrated` at the end, after which no server starts on it.
 */
import { BargeError } from "../error.ts";
import type { Parts } from "../shared/parts.ts";
import { mark } from "./marker.ts";

const begun = "migration";
const ended = "migrated";

async function has({ db }: Parts, name: string): Promise<boolean> {
  return (await db.all("SELECT 1 FROM secret WHERE name = $1", name)).length > 0;
}

/**
 * Records that a migration to a database begins, or goes on.
 *
 * @param data the real path of the data directory
 * @throws {BargeError} `exists` for a database that has accounts of its own, or is filled from another
 *   directory, or whose migration has ended
 */
export async function beginMigration(parts: Parts, data: string): Promise<void> {
  if (await has(parts, ended)) {
    throw new BargeError("exists", "the migration to this database has ended", {
      hint: "to migrate again, name another database, and another bucket or prefix",
    });
  }
  if (!await has(parts, begun)) {
    const accounts = await parts.db.all("SELECT 1 FROM account LIMIT 1");
    if (accounts.length > 0) {
      throw new BargeError("exists", "the database has accounts already", {
        hint: "migrate to an empty one",
      });
    }
  }
  const source = await parts.secrets.get(begun, () => data);
  if (source === data) return;
  throw new BargeError("exists", `a migration of ${source} to this database is under way`, {
    hint: "name that directory, or another database",
  });
}

/** Returns whether a migration to a database has begun and not ended. No node may serve it then. */
export async function isMigrating(parts: Parts): Promise<boolean> {
  return await has(parts, begun) && !await has(parts, ended);
}

/** Records on both sides that the migration has ended. @param address of the target, without secrets */
export async function endMigration(parts: Parts, data: string, address: string): Promise<void> {
  await mark(data, "migrated", address);
  await parts.secrets.get(ended, () => new Date().toISOString());
}
