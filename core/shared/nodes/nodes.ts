/** The list of nodes, read from the database. */
import { BargeError } from "../../error.ts";
import type { DoorAddresses, NodeIdentity, NodeList, NodeReport } from "../../watch/nodes.ts";
import { isAlive } from "../database/migrate.ts";
import type { Postgres } from "../database/postgres.ts";

/** How soon the database must answer a node that is to get clients. */
const readyTimeoutMs = 1_000;

interface NodeRow extends NodeIdentity {
  readonly version: string;
  readonly doors: DoorAddresses;
  readonly started: number;
  readonly seen: number;
  readonly stopping: boolean;
  readonly bucket: boolean;
  readonly alive: boolean;
  readonly report: NodeReport;
}

export class SharedNodes implements NodeList {
  readonly #db: Postgres;
  readonly own: NodeIdentity | undefined;

  /** @param own the node of this process; undefined for a command */
  constructor(db: Postgres, own?: NodeIdentity) {
    this.#db = db;
    this.own = own;
  }

  async list(): ReturnType<NodeList["list"]> {
    const ms = (time: string) => `(extract(epoch FROM ${time}) * 1000)::bigint`;
    const [{ now }] = await this.#db.all<{ now: number }>("SELECT now_ms() AS now");
    const rows = await this.#db.all<NodeRow>(
      `SELECT id, name, version, doors, ${ms("started")} AS started, ${
        ms("seen")
      } AS seen, stopping,
         bucket, ${isAlive} AS alive, report FROM cluster_node ORDER BY name, started, id`,
    );
    const nodes = rows.map(({ alive, stopping, report, ...row }) => ({
      ...row,
      ...report,
      state: !alive ? "gone" : stopping ? "stopping" : "running",
    } as const));
    return { nodes, now };
  }

  /**
   * Checks that clients should be sent to this node. If no node reaches the bucket, all nodes are ready: they
   * still list, move and remove, which is more than a balancer without any node could offer.
   */
  async checkReady(): Promise<void> {
    const [{ lost }] = await soon(this.#db.all<{ lost: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM cluster_node WHERE id = $1 AND NOT bucket)
         AND EXISTS (SELECT 1 FROM cluster_node WHERE bucket AND NOT stopping AND ${isAlive}) AS lost`,
      this.own?.id ?? "",
    ));
    if (!lost) return;
    throw new BargeError("unavailable", "this node does not reach the bucket, and others do", {
      hint: "its log has the reason",
    });
  }
}

/** @throws {BargeError} `unavailable` where the answer takes too long */
async function soon<T>(answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const why = `the database does not answer within ${readyTimeoutMs / 1000} s`;
      reject(new BargeError("unavailable", why, { hint: "try again once it is back" }));
    }, readyTimeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    answer.catch(() => {/* reported by the timeout */});
  }
}
