/**
 * The row of this node in the list of nodes, which its supervisor writes.
 *
 *   registered -> reported every few seconds -> removed when it stops
 *                                           \-> gone, when it died -> forgotten
 *
 * All times are those of the database. A node whose row was forgotten, because it was cut off for long, makes
 * the row again with its next report.
 */
import type { DoorAddresses, NodeIdentity, NodeReport } from "../../watch/nodes.ts";
import { lockVersion, newestVersion, requireUsable } from "../database/migrate.ts";
import type { Postgres, Statements } from "../database/postgres.ts";

/** How long a node that died is shown, in SQL. */
const shownGone = "interval '1 hour'";

/** The facts of a node that do not change while it runs. */
export interface NodeFacts extends NodeIdentity {
  readonly version: string;
  readonly doors: DoorAddresses;
}

/** The state of a node, which it reports every few seconds. */
export interface NodeBeat {
  /** Milliseconds since the node started. */
  readonly uptimeMs: number;
  readonly stopping: boolean;
  /** Whether it reaches the bucket. */
  readonly bucket: boolean;
  readonly report: NodeReport;
}

export class Membership {
  readonly #db: Postgres;
  readonly #facts: NodeFacts;

  constructor(db: Postgres, facts: NodeFacts) {
    this.#db = db;
    this.#facts = facts;
  }

  /**
   * Adds this node, which serves from now on, in place of an earlier start with the same name and addresses.
   *
   * @throws {BargeError} `fatal` where another node has meanwhile upgraded the tables, and this barge is too old
   *   for them; `unavailable`
   */
  async register(beat: NodeBeat): Promise<void> {
    await this.#db.transaction(async (tx) => {
      await lockVersion(tx);
      const { name, doors } = this.#facts;
      await tx.all(
        "DELETE FROM cluster_node WHERE name = $1 AND doors = $2::text::jsonb",
        name,
        JSON.stringify(doors),
      );
      await this.#write(tx, beat);
    });
  }

  /**
   * Reports that this node still runs.
   *
   * @throws {BargeError} `unavailable`
   * @throws {NewerTables} where the tables have meanwhile become too new for this barge, because it was cut off
   *   so long that it did not keep the upgrade away
   */
  async report(beat: NodeBeat): Promise<void> {
    await requireUsable(this.#db);
    await this.#write(this.#db, beat);
  }

  /** Removes this node. @throws {BargeError} `unavailable` */
  async remove(): Promise<void> {
    await this.#db.all("DELETE FROM cluster_node WHERE id = $1", this.#facts.id);
  }

  async #write(db: Statements, { uptimeMs, stopping, bucket, report }: NodeBeat): Promise<void> {
    const { id, name, version, doors } = this.#facts;
    await db.all(
      `INSERT INTO cluster_node
         (id, name, version, tables, doors, started, seen, stopping, bucket, report)
       VALUES ($1, $2, $3, $4, $5::text::jsonb, now() - $6::float8 * interval '1 ms', now(),
         $7::boolean, $8::boolean, $9::text::jsonb)
       ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, stopping = excluded.stopping,
         bucket = excluded.bucket, report = excluded.report`,
      id,
      name,
      version,
      newestVersion,
      JSON.stringify(doors),
      uptimeMs,
      stopping,
      bucket,
      JSON.stringify(report),
    );
  }
}

/** Forgets nodes that died long ago. */
export async function forgetGoneNodes(db: Postgres): Promise<void> {
  await db.all(`DELETE FROM cluster_node WHERE seen < now() - ${shownGone}`);
}
