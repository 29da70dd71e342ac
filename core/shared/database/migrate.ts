/**
 * Upgrades the tables, one node at a time and in one transaction, while other nodes serve.
 *
 * The table `migration` has a row for each version of the tables. Its column `oldest` names the oldest version
 * whose programs can use the tables since then. So a node starts on tables that are newer than its own, unless
 * a later migration excludes it; and a migration that would exclude a node that runs now is not made.
 */
import { BargeError } from "../../error.ts";
import type { Postgres, Statements } from "./postgres.ts";
import { type Migration, migrations } from "./schema.ts";

/** A node that has not reported for this time, in seconds, counts as gone. */
const goneAfterSeconds = 20;

/** The condition on which a row of `cluster_node` is of a node that runs, in SQL. */
export const isAlive = `seen > now() - interval '${goneAfterSeconds} seconds'`;

/** The version of the tables that this barge makes, and needs at least. */
export const newestVersion = migrations.length;

/** The tables are too new for this barge. */
export class NewerTables extends BargeError {}

/** The key of the advisory lock that lets one node at a time migrate, and keeps nodes from registering then. */
const migrationLock = 0x62617267;

/**
 * Brings the tables to the newest version. Leaves newer tables that this barge can use as they are.
 *
 * @param program the version of barge, which the database records with the migrations
 * @param steps all migrations that the program has; tests give those of a later barge
 * @throws {BargeError} `fatal` for tables that this barge can't use, and for an upgrade that a node which runs
 *   now could not use; `unavailable`
 */
export async function migrate(
  db: Postgres,
  program: string,
  steps: readonly Migration[] = migrations,
): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.all("SELECT pg_advisory_xact_lock($1)", migrationLock);
    await tx.all("CREATE TABLE IF NOT EXISTS migration (version integer PRIMARY KEY)");
    const version = await maxVersion(tx);
    if (version > steps.length) return await requireUsable(tx, steps.length);
    const added = [...steps.entries()].slice(version);
    if (added.length === 0) return;
    for (const [i, { sql }] of added) {
      for (const statement of statements(sql)) await tx.all(statement);
      await tx.all("INSERT INTO migration (version) VALUES ($1)", i + 1);
    }
    for (const [i, { oldest }] of added) {
      const sql = "UPDATE migration SET oldest = $2, program = $3 WHERE version = $1";
      await tx.all(sql, i + 1, oldest, program);
    }
    await requireNodesFit(tx);
  });
}

/**
 * Checks that this barge can use the tables, and keeps a migration away until the end of the transaction.
 *
 * @throws {BargeError} `fatal` for tables that this barge can't use
 */
export async function lockVersion(tx: Statements): Promise<void> {
  await tx.all("SELECT pg_advisory_xact_lock_shared($1)", migrationLock);
  await requireUsable(tx);
}

/** Returns the version of the tables; 0 for none. */
export async function versionOf(db: Statements): Promise<number> {
  const [{ made }] = await db.all<{ made: boolean }>(
    "SELECT to_regclass('migration') IS NOT NULL AS made",
  );
  return made ? await maxVersion(db) : 0;
}

/**
 * Checks that a barge is not too old for the tables.
 *
 * @param own the newest version of the tables that the barge knows
 * @throws {NewerTables} where it is too old; the message names the barge that is needed
 */
export async function requireUsable(db: Statements, own: number = newestVersion): Promise<void> {
  const version = await maxVersion(db);
  if (version <= own) return; // older tables may lack the columns of the next statement
  const [{ oldest, program }] = await db.all<{ oldest: number; program: string }>(
    "SELECT version AS oldest, program FROM migration WHERE version = (SELECT max(oldest) FROM migration)",
  );
  if (oldest <= own) return;
  const why =
    `the tables of the database have version ${version}, for programs that know version ` +
    `${oldest} or later; this barge knows version ${own}`;
  throw new NewerTables("fatal", why, {
    hint: `install barge ${program || "of the other nodes"} or newer on this machine`,
  });
}

async function maxVersion(db: Statements): Promise<number> {
  const sql = "SELECT coalesce(max(version), 0) AS version FROM migration";
  return (await db.all<{ version: number }>(sql))[0].version;
}

/** @throws {BargeError} `fatal` where a node that runs now can't use the upgraded tables */
async function requireNodesFit(tx: Statements): Promise<void> {
  const nodes = await tx.all<{ name: string; version: string }>(
    `SELECT name, version FROM cluster_node
     WHERE tables < (SELECT max(oldest) FROM migration) AND ${isAlive} ORDER BY name`,
  );
  if (nodes.length === 0) return;
  const running = nodes.map(({ name, version }) => `${name} (barge ${version})`).join(", ");
  throw new BargeError("fatal", `the upgraded tables are too new for nodes that run: ${running}`, {
    hint: "upgrade these nodes to a version in between first, or stop them",
  });
}

/** Splits SQL into its statements: at semicolons outside of the bodies of functions and of comments. */
function statements(text: string): string[] {
  const bare = text.replace(/^\s*--.*$/gm, "");
  const found = bare.match(/(?:\$\$[\s\S]*?\$\$|[^;$]|\$(?!\$))+/g) ?? [];
  return found.map((each) => each.trim()).filter(Boolean);
}
