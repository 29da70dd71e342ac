/**
 * Upgrades the tables, one node at a time and in one transaction, while other nodes serve.
 *
 * The table `migration` has a row for each version of the tables. Its column `oldest` names the oldest version
 * whose programs can use the tables since then. So a node starts on tables that are newer than its own, unless
 * a later migration excludes it; and a migration that would exclude a node that runs now is not made. A node that
 * has died looks like one that runs until it counts as gone, so the migration waits for its next report or that time.
 */
import { BargeError } from "../../error.ts";
import type { Postgres, Statements } from "./postgres.ts";
import { type Migration, migrations } from "./schema.ts";

/** A node that has not reported for this time, in seconds, counts as gone. */
const goneAfterSeconds = 20;

/** The time between two looks at the nodes that an upgrade waits for, in ms. */
const lookMs = 500;

/** The condition on which a row of `cluster_node` is of a node that runs, in SQL. */
export const isAlive = `seen > now() - interval '${goneAfterSeconds} seconds'`;

/** The version of the tables that this barge makes, and needs at least. */
export const newestVersion = migrations.length;

/** The tables are too new for this barge. */
export class NewerTables extends BargeError {}

/** A node that could not use the upgraded tables, and has reported not long ago. */
interface ExcludedNode {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** The time of its last report, as PostgreSQL writes it. */
  readonly seen: string;
}

/** An upgrade would exclude nodes. */
class ExcludesNodes extends BargeError {
  readonly oldest: number;
  readonly nodes: readonly ExcludedNode[];

  constructor(oldest: number, nodes: readonly ExcludedNode[]) {
    const why = `the upgraded tables are too new for nodes that run: ${describe(nodes)}`;
    super("fatal", why, {
      hint: "upgrade these nodes to a version in between first, or stop them",
    });
    this.oldest = oldest;
    this.nodes = nodes;
  }
}

/** The key of the advisory lock that lets one node at a time migrate, and keeps nodes from registering then. */
const migrationLock = 0x62617267;

/**
 * Brings the tables to the newest version. Leaves newer tables that this barge can use as they are.
 *
 * @param program the version of barge, which the database records with the migrations
 * @param steps all migrations that the program has; tests give those of a later barge
 * @param onWait called when nodes may run that could not use the upgraded tables, before a wait of at most 20 s
 * @throws {BargeError} `fatal` for tables that this barge can't use, and for an upgrade that a node which runs
 *   now could not use; `unavailable`
 */
export async function migrate(
  db: Postgres,
  program: string,
  steps: readonly Migration[] = migrations,
  onWait: (nodes: string) => void = () => {},
): Promise<void> {
  for (;;) {
    try {
      return await upgrade(db, program, steps);
    } catch (error) {
      if (!(error instanceof ExcludesNodes)) throw error;
      onWait(describe(error.nodes));
      await untilGone(db, error);
    }
  }
}

async function upgrade(
  db: Postgres,
  program: string,
  steps: readonly Migration[],
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

/** Waits until the nodes that an upgrade would exclude count as gone. @throws the refusal once one of them reports */
async function untilGone(db: Postgres, refusal: ExcludesNodes): Promise<void> {
  const known = new Map(refusal.nodes.map(({ id, seen }) => [id, seen]));
  for (;;) {
    const nodes = await excludedNodes(db, refusal.oldest);
    if (nodes.length === 0) return;
    if (nodes.some(({ id, seen }) => known.get(id) !== seen)) throw refusal;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
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

/** @throws {ExcludesNodes} where a node that may run now can't use the upgraded tables */
async function requireNodesFit(tx: Statements): Promise<void> {
  const [{ oldest }] = await tx.all<{ oldest: number }>(
    "SELECT max(oldest) AS oldest FROM migration",
  );
  const nodes = await excludedNodes(tx, oldest);
  if (nodes.length > 0) throw new ExcludesNodes(oldest, nodes);
}

/** Returns the nodes that may run now, and know only versions of the tables before `oldest`. */
async function excludedNodes(db: Statements, oldest: number): Promise<ExcludedNode[]> {
  return await db.all(
    `SELECT id, name, version, seen::text AS seen FROM cluster_node
     WHERE tables < $1::integer AND ${isAlive} ORDER BY name`,
    oldest,
  );
}

function describe(nodes: readonly ExcludedNode[]): string {
  return nodes.map(({ name, version }) => `${name} (barge ${version})`).join(", ");
}

/** Splits SQL into its statements: at semicolons outside of the bodies of functions and of comments. */
function statements(text: string): string[] {
  const bare = text.replace(/^\s*--.*$/gm, "");
  const found = bare.match(/(?:\$\$[\s\S]*?\$\$|[^;$]|\$(?!\$))+/g) ?? [];
  return found.map((each) => each.trim()).filter(Boolean);
}
