/** The tree of files and folders, as rows of the database. */
import { BargeError } from "../../error.ts";
import { mkdirEvent, moveEvent, removeEvent } from "../../storage/event_facts.ts";
import type { FileContent, Reading, SmallFile } from "../../storage/content.ts";
import type { ForeignEntry, StoredEntry } from "../../storage/entry.ts";
import { overQuota } from "../../storage/over_quota.ts";
import { folderOf, type Place, relative } from "../../storage/place.ts";
import type { Look, NamedEntry, NewFolder, Tree } from "../../storage/tree.ts";
import type { Guard } from "../../storage/view.ts";
import { logAudit } from "../../storage/audit/log.ts";
import { addRecords } from "../database/audit_rows.ts";
import type { Sums } from "./account_rows.ts";
import { change } from "./change.ts";
import { SharedContent } from "./content.ts";
import { CreatedTimes } from "./created_times.ts";
import { encodeName, encodePath, encodePlace } from "../database/name.ts";
import {
  below,
  entryOf,
  folderId,
  nameOf,
  nodeAt,
  nodeColumns,
  type NodeRow,
  nodesFrom,
  nodesNamed,
} from "./node_rows.ts";
import type { Parts } from "../bucket/parts.ts";
import { digestPieces, PieceReader } from "./pieces.ts";
import type { Statements } from "../database/postgres.ts";
import { removeNode } from "./remove_node.ts";
import { readSmall, unreadable } from "./small_reads.ts";
import { loseShares } from "./share_rows.ts";
import { dropAt, partialOf, staged, uploadAt } from "./upload_rows.ts";
import { checkGuard, foreignFile, runGuard, SharedView } from "./view.ts";

/** The entries of one page of a folder. */
const pageEntries = 256;

export class SharedTree implements Tree {
  readonly comparesParts = true;
  readonly #parts: Parts;
  readonly #created: CreatedTimes;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#created = new CreatedTimes(parts.db);
  }

  async check<T>(guard: Guard<T>): Promise<T> {
    return await checkGuard(new SharedView(this.#parts.db), guard);
  }

  async entry(place: Place): Promise<StoredEntry | undefined> {
    const row = await nodeAt(this.#parts.db, place);
    return row && entryOf(row);
  }

  async look(place: Place, account: number): Promise<Look> {
    const [first, upload] = await Promise.all([
      this.entry(place),
      uploadAt(this.#parts.db, account, place),
    ]);
    // An upload that became a file between both statements is found by neither.
    const entry = first ?? (upload ? undefined : await this.entry(place));
    const partial = upload && partialOf(upload, place);
    return { entry, partial: partial && { offset: partial.offset, size: partial.size } };
  }

  async named(dir: string, names: readonly string[]): Promise<NamedEntry[]> {
    const rows = await nodesNamed(this.#parts.db, dir, names);
    const byName = new Map(rows.map((row) => [nameOf(row), row]));
    return names.flatMap((name) => {
      const row = byName.get(name);
      return row ? [{ name, entry: entryOf(row) }] : [];
    });
  }

  async *pages(place: Place): AsyncGenerator<NamedEntry[], void, void> {
    const { db } = this.#parts;
    const folder = await this.#folder(place);
    for (let last = "";;) {
      const rows = await db.all<NodeRow>(
        `SELECT ${nodeColumns} FROM ${nodesFrom("$1::bigint", "decode($2, 'hex')", pageEntries)}
         WHERE node.parent = $1::bigint ORDER BY node.name`,
        folder,
        last,
      );
      if (rows.length > 0) yield rows.map((row) => ({ name: nameOf(row), entry: entryOf(row) }));
      if (rows.length < pageEntries) return;
      last = rows.at(-1)!.name;
    }
  }

  async created(place: Place): Promise<number | undefined> {
    return await this.#created.of(place);
  }

  async foreign(place: Place, account: number): Promise<ForeignEntry | undefined> {
    return await foreignFile(this.#parts.db, place, account);
  }

  /** Every name in the database can be shown. */
  unnamed(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async open(place: Place, offset: number, reading: Reading = {}): Promise<FileContent> {
    const row = await this.#file(place);
    if (offset > row.size) throw beyondEnd(offset, row.size);
    return new SharedContent(this.#parts, { ...row, content: row.content! }, offset, reading);
  }

  async readSmall(
    places: readonly Place[],
    maxBytes: number,
  ): Promise<(SmallFile | BargeError | undefined)[]> {
    return await readSmall(this.#parts, places, maxBytes);
  }

  readAgain(files: readonly (readonly [Place, SmallFile])[]): Promise<SmallFile[]> {
    return Promise.resolve(files.map(([, file]) => file));
  }

  async digest(
    place: Place,
    algorithm: "sha256" | "md5",
    signal?: AbortSignal,
  ): Promise<{ readonly digest: string; readonly size: number }> {
    const row = await this.#file(place);
    const { size } = row;
    if (algorithm === "sha256") return { digest: row.sha256!, size };
    using reader = new PieceReader(this.#parts, row.content!);
    return { digest: await digestPieces(reader, size, algorithm, undefined, signal), size };
  }

  async mkdir(place: Place, folder: NewFolder, guard: Guard): Promise<boolean> {
    const { account, parents } = folder;
    const modified = folder.modified === null ? null : Math.round(folder.modified);
    const made = await change(this.#parts.db, [place], [account], async (step) => {
      const { tx, view, accounts } = step;
      await checkGuard(view, guard);
      const missing: Place[] = [];
      for (let at = place; at.name !== ""; at = folderOf(at)) {
        const existing = await runGuard(view, () => view.node(at));
        if (existing?.folder) break;
        if (existing) {
          throw new BargeError("exists", "a file has that name", { path: relative(at) });
        }
        if (missing.length > 0 && !parents) {
          throw new BargeError("no-directory", "the folder does not exist", {
            path: relative(at),
            hint: "make the folders above it first, or add --parents",
          });
        }
        missing.unshift(at);
      }
      if (missing.length === 0) {
        if (parents && modified !== null) await setTime(tx, view.node(place)!, modified);
        return false;
      }
      const sums = accounts.get(account);
      const refusal = sums && overQuota(sums, { entries: missing.length });
      if (refusal) throw refusal;
      for (const each of missing) {
        const { dir, name } = encodePlace(each);
        await tx.all(
          `INSERT INTO node (parent, name, folder, owner, modified)
           VALUES (folder_at($1), decode($2, 'hex'), true, $3::bigint, coalesce($4::bigint, now_ms()))`,
          dir,
          name,
          account,
          each === place ? modified : null,
        );
      }
      await touchFolder(tx, missing[0]);
      const origin = originOf(accounts, account, guard);
      await this.#parts.outbox.add(
        tx,
        () => missing.map((place) => mkdirEvent({ place, ...origin })),
      );
      await addRecord(tx, guard);
      return true;
    });
    if (made && guard.record) logAudit(guard.record);
    return made;
  }

  async move(from: Place, to: Place, account: number, guard: Guard): Promise<void> {
    const { db, outbox } = this.#parts;
    await change(db, [from, to], [account], async ({ tx, view, accounts }) => {
      await checkGuard(view, guard);
      const row = await runGuard(view, () => view.node(from));
      if (!row) throw notFound(from);
      const target = await runGuard(view, () => view.node(to));
      const folder = await folderId(tx, to.dir);
      if (folder === undefined) {
        throw new BargeError("no-directory", "the folder does not exist", { path: to.dir });
      }
      if (target?.id === row.id) return;
      if (target) await replaceable(tx, row, target);
      await uncredit(tx, from);
      if (row.folder && await isWithin(tx, folder, row.id)) {
        throw new BargeError("usage", "a folder can't be moved into itself", {
          path: relative(from),
        });
      }
      await tx.all(
        "UPDATE node SET parent = $2::bigint, name = decode($3, 'hex') WHERE id = $1",
        row.id,
        folder,
        encodeName(to.name),
      );
      if (row.folder) await settleUploads(tx, row.id, to);
      await tx.all(`${below} DELETE FROM lock USING below WHERE lock.node = below.id`, row.id);
      await loseShares(tx, row.id);
      await touchFolder(tx, from);
      await touchFolder(tx, to);
      await outbox.add(tx, () => [
        moveEvent({ from, to, type: typeOf(row), ...originOf(accounts, account, guard) }),
      ]);
      await addRecord(tx, guard);
    });
    if (guard.record) logAudit(guard.record);
  }

  async remove(place: Place, account: number, guard: Guard): Promise<number> {
    const { db, outbox } = this.#parts;
    const files = await change(db, [place], [account], async ({ tx, view, accounts }) => {
      await checkGuard(view, guard);
      const row = await runGuard(view, () => view.node(place));
      if (!row) throw notFound(place);
      await dropAt(tx, account, place, { idle: true });
      const files = await removeNode(tx, row.id);
      await touchFolder(tx, place);
      await outbox.add(tx, () => [
        removeEvent({ place, type: typeOf(row), ...originOf(accounts, account, guard) }),
      ]);
      await addRecord(tx, guard);
      return files;
    });
    if (guard.record) logAudit(guard.record);
    return files;
  }

  async setModified(place: Place, modified: number, guard: Guard): Promise<number> {
    const kept = Math.round(modified);
    await change(this.#parts.db, [place], [], async ({ tx, view }) => {
      await checkGuard(view, guard);
      const row = await runGuard(view, () => view.node(place));
      if (!row) throw notFound(place);
      await setTime(tx, row, kept);
    });
    return kept;
  }

  async #file(place: Place): Promise<NodeRow> {
    const row = await nodeAt(this.#parts.db, place);
    if (!row || row.folder) throw unreadable(place, row);
    return row;
  }

  async #folder(place: Place): Promise<number> {
    const row = await nodeAt(this.#parts.db, place);
    if (!row) throw notFound(place);
    if (!row.folder) throw new BargeError("not-found", "it is a file", { path: relative(place) });
    return row.id;
  }
}

function typeOf({ folder }: NodeRow): "dir" | "file" {
  return folder ? "dir" : "file";
}

/** Returns the origin of a change, for its event. */
function originOf(
  accounts: ReadonlyMap<number, Sums>,
  id: number,
  { door = null }: Guard,
): { readonly account: string | null; readonly door: string | null } {
  return { account: accounts.get(id)?.name ?? null, door };
}

/** Adds the record of a change to the audit trail, if the operator wants one. */
async function addRecord(tx: Statements, { record }: Guard): Promise<void> {
  if (record) await addRecords(tx, [record]);
}

function notFound(place: Place): BargeError {
  return new BargeError("not-found", "there is no such file or folder", { path: relative(place) });
}

function beyondEnd(offset: number, size: number): BargeError {
  return new BargeError("usage", `the offset ${offset} is beyond the end, ${size}`);
}

/** Removes the entry that a move replaces. @throws {BargeError} `exists` where it can't be replaced */
async function replaceable(tx: Statements, row: NodeRow, target: NodeRow): Promise<void> {
  if (row.folder !== target.folder) {
    const what = target.folder ? "a folder" : "a file";
    throw new BargeError("exists", `${what} has that name`);
  }
  if (target.folder) {
    const inside = await tx.all("SELECT 1 FROM node WHERE parent = $1 LIMIT 1", target.id);
    if (inside.length > 0) throw new BargeError("exists", "the folder is not empty");
  }
  await tx.all("DELETE FROM upload WHERE parent = $1", target.id);
  await tx.all("DELETE FROM node WHERE id = $1", target.id);
}

/** Returns whether a folder is the same as `other`, or below it. */
async function isWithin(tx: Statements, folder: number, other: number): Promise<boolean> {
  const rows = await tx.all(
    `WITH RECURSIVE above (id, parent) AS (
       SELECT id, parent FROM node WHERE id = $1::bigint
       UNION ALL SELECT node.id, node.parent FROM node JOIN above ON node.id = above.parent
     ) SELECT 1 FROM above WHERE id = $2::bigint`,
    folder,
    other,
  );
  return rows.length > 0;
}

/**
 * Prepares the move of a file away from a path. An upload to the path that would have replaced the file then
 * needs bytes and an entry of its own (claim.ts). If the account has none left, an idle upload is dropped.
 *
 * @throws {BargeError} `over-quota` if a connection writes the upload
 */
async function uncredit(tx: Statements, from: Place): Promise<void> {
  const { dir, name } = encodePlace(from);
  const [row] = await tx.all<{ id: number; holder: string | null; owner: string }>(
    `SELECT upload.id, upload.holder, account.name AS owner
     FROM upload JOIN account ON account.id = upload.account
     WHERE upload.parent = folder_at($1) AND upload.name = decode($2, 'hex') AND entry = 0
       AND (entries >= entry_limit OR used + reserved + least(want, credit) > quota)`,
    dir,
    name,
  );
  if (!row) return;
  if (row.holder !== null) {
    const why = "an upload under way will replace it, and the quota has no room for both";
    throw new BargeError("over-quota", why, {
      account: row.owner,
      hint: "try again when that has ended",
    });
  }
  await tx.all("DELETE FROM upload WHERE id = $1", row.id);
}

/**
 * Ends the uploads under way into a folder that was moved. Partial uploads follow the folder, except those
 * of accounts that can't reach the new place, which are dropped.
 */
async function settleUploads(tx: Statements, id: number, to: Place): Promise<void> {
  const [space, home] = relative(to).split("/");
  await tx.all(
    `${below} UPDATE upload SET holder = NULL, want = least(want, ${staged}) FROM below
     WHERE upload.parent = below.id AND upload.holder IS NOT NULL`,
    id,
  );
  if (space !== "homes") return;
  await tx.all(
    `${below} DELETE FROM upload USING below WHERE upload.parent = below.id
       AND account <> (SELECT id FROM account WHERE name = $2)`,
    id,
    home,
  );
}

async function setTime(tx: Statements, { id }: NodeRow, modified: number): Promise<void> {
  await tx.all("UPDATE node SET modified = $2::bigint WHERE id = $1", id, modified);
}

/** Sets the time of the folder that a place is in to now, as a file system does. */
export async function touchFolder(tx: Statements, { dir }: Place): Promise<void> {
  await tx.all(
    `UPDATE node SET modified = now_ms() WHERE id = folder_at($1)`,
    encodePath(dir),
  );
}
