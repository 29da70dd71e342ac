/**
 * The rows of WebDAV's locks. A lock belongs to its file or folder, and ends with it. Rows have the time of the
 * database; a {@link Lock} in memory has the time of this machine, whose clock may be wrong.
 */
import type { Lock } from "../../storage/lock.ts";
import { type Place, relative } from "../../storage/place.ts";
import { decodeName, decodePath, encodePath } from "../database/name.ts";
import type { Statements, Value } from "../database/postgres.ts";

/** The unit of a difference between two clocks. A difference below half of it counts as none. */
const clockStepMs = 10_000;
/** The time of the database, in SQL, for the time $2 of this machine, whose clock shows $3 now. */
export const untilInRow =
  `$2::bigint + round((now_ms() - $3::bigint) / ${clockStepMs}.0)::bigint * ${clockStepMs}`;

/** @param condition in SQL, on `lock` and `node` */
async function select(db: Statements, condition: string, ...values: Value[]): Promise<Lock[]> {
  const rows = await db.all<Lock & { readonly now: number }>(
    `SELECT lock.token, lock.account, lock.shared, lock.deep, lock.owner, lock.until, now_ms() AS now,
       path_of(node.parent) AS dir, encode(node.name, 'hex') AS name
     FROM lock JOIN node ON node.id = lock.node WHERE lock.until > now_ms() AND ${condition}`,
    ...values,
  );
  return rows.map(({ now, ...row }) => ({
    ...row,
    until: row.until - Math.round((now - Date.now()) / clockStepMs) * clockStepMs,
    dir: decodePath(row.dir),
    name: decodeName(row.name),
  }));
}

/** Returns the locks on a place, and the deep ones on the folders that it is in. */
export async function locksOver(db: Statements, place: Place): Promise<Lock[]> {
  const condition = `EXISTS (SELECT 1 FROM nodes_along($1) AS along
    WHERE along.id = lock.node AND (along.last OR lock.deep))`;
  return await select(db, condition, encodePath(relative(place)));
}

/** Returns the locks on a place itself. */
export async function locksOn(db: Statements, place: Place): Promise<Lock[]> {
  const condition = "lock.node = (SELECT along.id FROM nodes_along($1) AS along WHERE along.last)";
  return await select(db, condition, encodePath(relative(place)));
}

/** Returns the locks on entries directly in a folder. */
export async function locksIn(db: Statements, place: Place): Promise<Lock[]> {
  return await select(db, "node.parent = folder_at($1)", encodePath(relative(place)));
}

/** Returns the locks in and below a folder. */
export async function locksBelow(db: Statements, place: Place): Promise<Lock[]> {
  const condition = `lock.node IN (
    WITH RECURSIVE below (id) AS (
      SELECT id FROM node WHERE parent = folder_at($1)
      UNION ALL SELECT node.id FROM node JOIN below ON node.parent = below.id
    ) SELECT id FROM below)`;
  return await select(db, condition, encodePath(relative(place)));
}
