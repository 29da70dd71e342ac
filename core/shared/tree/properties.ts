/** WebDAV's dead properties, as rows of the database: see core/storage/properties.ts. */
import { BargeError } from "../../error.ts";
import type { Place } from "../../storage/place.ts";
import { propertyBounds } from "../../storage/bounds.ts";
import type { Property, PropertyChange, PropertyStore } from "../../storage/properties.ts";
import type { Guard } from "../../storage/view.ts";
import { change } from "./change.ts";
import { encodePath, encodePlace } from "../database/name.ts";
import { nodeAt } from "./node_rows.ts";
import type { Parts } from "../bucket/parts.ts";
import type { Statements } from "../database/postgres.ts";
import { checkGuard, runGuard } from "./view.ts";

export class SharedProperties implements PropertyStore {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async of(place: Place): Promise<readonly Property[]> {
    const node = await nodeAt(this.#parts.db, place);
    if (!node) return [];
    return await this.#parts.db.all<Property>(
      "SELECT space, local, xml FROM property WHERE node = $1 ORDER BY space, local",
      node.id,
    );
  }

  async anyIn(dir: string): Promise<boolean> {
    const rows = await this.#parts.db.all(
      `SELECT 1 FROM property JOIN node ON node.id = property.node
       WHERE node.parent = folder_at($1) LIMIT 1`,
      encodePath(dir),
    );
    return rows.length > 0;
  }

  async change(
    place: Place,
    account: number,
    changes: readonly PropertyChange[],
    guard: Guard,
  ): Promise<void> {
    await change(this.#parts.db, [place], [account], async ({ tx, view }) => {
      await checkGuard(view, guard);
      const node = await runGuard(view, () => view.node(place));
      if (!node) throw new BargeError("not-found", "there is no such file or folder");
      for (const { space, local, ...rest } of changes) {
        if (!("xml" in rest)) {
          const sql = "DELETE FROM property WHERE node = $1 AND space = $2 AND local = $3";
          await tx.all(sql, node.id, space, local);
          continue;
        }
        await tx.all(
          `INSERT INTO property (node, space, local, account, xml) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (node, space, local)
             DO UPDATE SET account = excluded.account, xml = excluded.xml`,
          node.id,
          space,
          local,
          account,
          rest.xml as string,
        );
      }
      await checkBounds(tx, node.id, account);
    });
  }

  async copy(from: Place, to: Place, account: number): Promise<void> {
    // Most entries have none, and a copy of a large folder then needs half as many transactions.
    if (!await this.#hasAny(from, to)) return;
    await change(this.#parts.db, [from, to], [account], async ({ tx, view }) => {
      await view.prefetch([from, to]);
      const [source, target] = [view.node(from), view.node(to)];
      if (!source || !target) return;
      await tx.all("DELETE FROM property WHERE node = $1", target.id);
      await tx.all(
        `INSERT INTO property (node, space, local, account, xml)
         SELECT $2::bigint, space, local, $3::bigint, xml FROM property WHERE node = $1`,
        source.id,
        target.id,
        account,
      );
      await checkBounds(tx, target.id, account);
    });
  }

  /** Returns whether one of two entries has properties. */
  async #hasAny(first: Place, second: Place): Promise<boolean> {
    const [one, other] = [encodePlace(first), encodePlace(second)];
    const rows = await this.#parts.db.all(
      `SELECT 1 FROM property WHERE node IN (
         SELECT id FROM node WHERE parent = folder_at($1) AND name = decode($2, 'hex')
         UNION ALL SELECT id FROM node WHERE parent = folder_at($3) AND name = decode($4, 'hex')
       ) LIMIT 1`,
      one.dir,
      one.name,
      other.dir,
      other.name,
    );
    return rows.length > 0;
  }
}

/** @throws {BargeError} `over-quota` when a file or an account has more than it may */
async function checkBounds(tx: Statements, node: number, account: number): Promise<void> {
  const { each, account: all } = propertyBounds;
  const sums = async (column: "node" | "account", id: number) => {
    const [sums] = await tx.all<{ count: number; octets: number }>(
      `SELECT count(*) AS count, coalesce(sum(octets), 0)::bigint AS octets FROM property
       WHERE ${column} = $1`,
      id,
    );
    return sums;
  };
  const here = await sums("node", node);
  if (here.count > each.count || here.octets > each.octets) {
    const why =
      `a file or folder has at most ${each.count} properties, and ${each.octets} bytes in them`;
    throw new BargeError("over-quota", why, {
      hint: "remove some of its properties, or shorten them",
    });
  }
  const everywhere = await sums("account", account);
  if (everywhere.count > all.count || everywhere.octets > all.octets) {
    const why =
      `an account's files have at most ${all.count} properties, and ${all.octets} bytes in them`;
    throw new BargeError("over-quota", why, {
      hint: "remove properties, or files and folders that have some",
    });
  }
}
