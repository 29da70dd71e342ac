/**
 * The view of a guard (core/storage/view.ts) inside a transaction.
 *
 * A guard is synchronous, and the database is not. So a view answers from memory: where it has no answer
 * yet, it throws {@link Unread}; {@link runGuard} then reads the missing fact, and runs the guard again.
 * Guards have no side effects.
 */
import { BargeError } from "../../error.ts";
import type { Account, Login } from "../../storage/account.ts";
import type { StoredEntry } from "../../storage/entry.ts";
import type { Lock } from "../../storage/lock.ts";
import { folderOf, type Place, relative } from "../../storage/place.ts";
import type { Guard, View } from "../../storage/view.ts";
import { accountOfLogin, isAccountEnabled } from "./account_rows.ts";
import { locksBelow, locksOn, locksOver } from "./lock_rows.ts";
import { decodeName, encodeName, encodePath, encodePlace } from "../database/name.ts";
import { below, entryOf, folderId, nodeAt, nodeColumns, type NodeRow } from "./node_rows.ts";
import type { Statements } from "../database/postgres.ts";

/** Thrown by a view for a fact that is not read yet. */
class Unread extends Error {
  constructor(readonly read: () => Promise<void>) {
    super("not read yet");
  }
}

export class SharedView implements View {
  readonly #db: Statements;
  readonly #facts = new Map<string, unknown>();

  constructor(db: Statements) {
    this.#db = db;
  }

  /** Reads the entries of some places and their folders at once, before a guard looks at them. */
  async prefetch(places: readonly Place[]): Promise<void> {
    const unread = places.filter((place) => !this.#facts.has(`node ${relative(place)}`));
    if (unread.length === 0) return;
    const dirs = [...new Set(unread.map(({ dir }) => dir))];
    type Row = { dir: number; parentId: number | null } & (NodeRow | { id: null });
    const rows = await this.#db.all<Row>(
      `WITH dir AS (SELECT i - 1 AS i, folder_at(path) AS id
         FROM jsonb_array_elements_text($1::text::jsonb) WITH ORDINALITY AS t (path, i)),
       place AS (SELECT (value->>0)::int AS i, decode(value->>1, 'hex') AS name
         FROM jsonb_array_elements($2::text::jsonb))
       SELECT dir.i AS dir, dir.id AS "parentId", ${nodeColumns} FROM dir JOIN place USING (i)
       LEFT JOIN node ON node.parent = dir.id AND node.name = place.name`,
      JSON.stringify(dirs.map(encodePath)),
      JSON.stringify(unread.map(({ dir, name }) => [dirs.indexOf(dir), encodeName(name)])),
    );
    for (const place of unread) this.#facts.set(`node ${relative(place)}`, undefined);
    for (const { dir, parentId, ...row } of rows) {
      this.#facts.set(`folder ${dirs[dir]}`, parentId ?? undefined);
      if (row.id === null) continue;
      const place = { dir: dirs[dir], name: decodeName(row.name) };
      this.#facts.set(`node ${relative(place)}`, row);
    }
  }

  /** Returns the row at a place; undefined when the place is free. */
  node(place: Place): NodeRow | undefined {
    return this.#fact(`node ${relative(place)}`, () => nodeAt(this.#db, place));
  }

  /** Returns the id of a folder; undefined for none. */
  folder(dir: string): number | undefined {
    return this.#fact(`folder ${dir}`, () => folderId(this.#db, dir));
  }

  account(login: Login): Account | undefined {
    const key = `login ${login.id} ${JSON.stringify(login.credential)}`;
    return this.#fact(key, () => accountOfLogin(this.#db, login));
  }

  isEnabled(account: number): boolean {
    return this.#fact(`enabled ${account}`, () => isAccountEnabled(this.#db, account));
  }

  entry(place: Place): StoredEntry | undefined {
    const row = this.node(place);
    return row && entryOf(row);
  }

  needFolder(place: Place): void {
    if (this.folder(place.dir) !== undefined) return;
    const path = relative(folderOf(place));
    throw new BargeError("no-directory", "the folder does not exist", {
      path,
      hint: "make the folder first",
    });
  }

  isEmpty(place: Place): boolean {
    const { dir, name } = encodePlace(place);
    const path = dir ? `${dir}/${name}` : name;
    return this.#fact(`empty ${path}`, async () => {
      const sql = "SELECT 1 FROM node WHERE parent = folder_at($1) LIMIT 1";
      return (await this.#db.all(sql, path)).length === 0;
    });
  }

  foreignFile(
    place: Place,
    account: number,
  ): { name: string; ownerName: string | null } | undefined {
    return this.#fact(
      `foreign ${account} ${relative(place)}`,
      () => foreignFile(this.#db, place, account),
    );
  }

  hasForeignFolder(place: Place, account: number): boolean {
    const { dir, name } = encodePlace(place);
    return this.#fact(`foreign folder ${account} ${dir}/${name}`, async () => {
      const rows = await this.#db.all(
        `${below.replace("$1::bigint", "folder_at($1)")}
         SELECT 1 FROM below JOIN node USING (id)
         WHERE node.folder AND node.owner IS DISTINCT FROM $2::bigint LIMIT 1`,
        dir ? `${dir}/${name}` : name,
        account,
      );
      return rows.length > 0;
    });
  }

  locksOver(place: Place): readonly Lock[] {
    return this.#fact(`over ${relative(place)}`, () => locksOver(this.#db, place));
  }

  locksOn(place: Place): readonly Lock[] {
    return this.#fact(`on ${relative(place)}`, () => locksOn(this.#db, place));
  }

  locksBelow(place: Place): readonly Lock[] {
    return this.#fact(`below ${relative(place)}`, () => locksBelow(this.#db, place));
  }

  #fact<T>(key: string, read: () => Promise<T>): T {
    if (this.#facts.has(key)) return this.#facts.get(key) as T;
    throw new Unread(async () => {
      this.#facts.set(key, await read());
    });
  }
}

/** Runs a function, and runs it again after each fact that the view had to read. @throws what it throws */
export async function runGuard<T>(view: SharedView, check: (view: SharedView) => T): Promise<T> {
  for (;;) {
    try {
      return check(view);
    } catch (error) {
      const unread = unreadIn(error);
      if (!unread) throw error;
      await unread.read();
    }
  }
}

/** Returns the {@link Unread} that caused an error. A guard may have wrapped it in errors that name a path. */
function unreadIn(error: unknown): Unread | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof Unread) return cause;
  }
  return undefined;
}

/** Runs the check of a guard, whose places are read at once. @throws what it throws */
export async function checkGuard<T>(view: SharedView, guard: Guard<T>): Promise<T> {
  await view.prefetch(guard.places);
  return await runGuard(view, (view) => guard.check(view));
}

/** Finds a file, at a place or anywhere below it, that is not charged to the given account. */
export async function foreignFile(
  db: Statements,
  place: Place,
  account: number,
): Promise<{ name: string; ownerName: string | null } | undefined> {
  const root = await nodeAt(db, place);
  if (!root) return undefined;
  const [row] = await db.all<NodeRow>(
    `${below} SELECT ${nodeColumns} FROM below JOIN node USING (id)
     WHERE NOT node.folder AND node.owner IS DISTINCT FROM $2::bigint LIMIT 1`,
    root.id,
    account,
  );
  return row && { name: decodeName(row.name), ownerName: row.ownerName };
}
