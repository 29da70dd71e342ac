/**
 * Copies the accounts database at one moment, beside any number of writers, by SQLite's online backup.
 *
 *   temporary file (0600) -> copied -> checked -> synced -> renamed to its name
 *
 * A failure before the last step leaves an existing file of that name as it was. A killed program leaves
 * the temporary file, `.NAME.RANDOM.part` beside it.
 */
import { backup as copyPages, DatabaseSync } from "node:sqlite";
import { randomUUID } from "node:crypto";
import { lstatSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { BargeError, typed } from "../../error.ts";
import { databaseFile } from "./database.ts";
import { databaseError } from "./sqlite_error.ts";
import { applicationId, migrations } from "./schema.ts";

export interface BackupOptions {
  /** Replace an existing file. */
  readonly force: boolean;
  /** The version of its tables. Default: the newest. */
  readonly tables?: number;
  readonly signal?: AbortSignal;
}

export interface BackedUp {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
  readonly accounts: number;
  /** Files in its ledger. */
  readonly files: number;
}

/**
 * Copies the database of a data directory, and checks the copy.
 *
 * @param data the data directory
 * @param target the path of the copy
 * @throws {BargeError} `exists` for an existing file, without `force`, and for a folder; `usage` for the
 *   database itself; `no-directory`, `denied`, `no-space`; `digest` for a damaged copy; `interrupted`
 */
export async function backup(
  data: string,
  target: string,
  { force, tables = migrations.length, signal }: BackupOptions,
): Promise<BackedUp> {
  const path = resolve(target);
  const part = join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}.part`);
  try {
    refuse(data, path, force);
    makePart(part);
    await copy(`${data}/${databaseFile}`, part);
    signal?.throwIfAborted();
    const counts = check(part, tables);
    const bytes = sync(part);
    signal?.throwIfAborted();
    publish(part, path, force);
    return { path, bytes, ...counts };
  } catch (error) {
    throw typed(error, { op: "backup", path: target });
  } finally {
    for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(part + suffix, { force: true });
  }
}

/** Refuses a target before any work. @throws {BargeError} `exists`, `usage` */
function refuse(data: string, path: string, force: boolean): void {
  const existing = lstatSync(path, { throwIfNoEntry: false });
  if (!existing) return;
  if (existing.isDirectory()) {
    const hint = `name a file in it: ${join(path, databaseFile)}`;
    throw new BargeError("exists", "it is a folder", { path, hint });
  }
  if (!existing.isFile() && !existing.isSymbolicLink()) {
    throw new BargeError("exists", "it is not a regular file", { path });
  }
  for (const suffix of ["", "-wal", "-shm"]) {
    const own = statSync(`${data}/${databaseFile}${suffix}`, { throwIfNoEntry: false });
    if (own?.ino === existing.ino && own.dev === existing.dev) {
      throw new BargeError("usage", "that is the database itself", { path });
    }
  }
  if (!force) throw taken(path);
}

function taken(path: string): BargeError {
  const hint = "replace it with --force";
  return new BargeError("exists", "a file of that name is there", { path, hint });
}

/** Makes the file before SQLite does, readable by its owner only: it will hold verifiers of passwords. */
function makePart(part: string): void {
  try {
    Deno.openSync(part, { write: true, createNew: true, mode: 0o600 }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw typed(error);
    throw new BargeError("no-directory", "its folder does not exist", { cause: error });
  }
}

/** Copies all pages in one step: a commit of another program between steps restarts the copy. */
async function copy(from: string, part: string): Promise<void> {
  try {
    using source = new DatabaseSync(from, { timeout: 5000 });
    await copyPages(source, part, { rate: 2 ** 31 - 1 });
  } catch (error) {
    throw databaseError(error, from);
  }
}

/** Checks the copy, and turns WAL mode off, so that it is one file. */
function check(part: string, tables: number): { accounts: number; files: number } {
  try {
    using db = new DatabaseSync(part);
    db.exec("PRAGMA journal_mode = DELETE");
    const first = (sql: string) => Object.values(db.prepare(sql).get() ?? {})[0];
    const integrity = first("PRAGMA integrity_check");
    if (integrity !== "ok") throw unsound(`its integrity check says: ${integrity}`);
    if (first("PRAGMA application_id") !== applicationId) throw unsound("it is not one of barge's");
    if (first("PRAGMA user_version") !== tables) throw unsound("it has other tables");
    return {
      accounts: Number(first("SELECT count(*) FROM account")),
      files: Number(first("SELECT count(*) FROM file")),
    };
  } catch (error) {
    throw databaseError(error, part);
  }
}

function unsound(why: string): BargeError {
  return new BargeError("digest", `the copy is not sound: ${why}`, {
    hint: "the database itself may be damaged; nothing was replaced",
  });
}

/** Syncs the copy. @returns its size in bytes */
function sync(part: string): number {
  using file = Deno.openSync(part, { read: true, write: true });
  file.syncSync();
  return file.statSync().size;
}

function publish(part: string, path: string, force: boolean): void {
  if (force) Deno.renameSync(part, path);
  else {
    try {
      Deno.linkSync(part, path); // a rename would replace a file that has appeared since
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) throw taken(path);
      refuse("", path, force); // a file system without links
      Deno.renameSync(part, path);
    }
  }
  try {
    using folder = Deno.openSync(dirname(path));
    folder.syncSync();
  } catch { /* some systems can't sync a folder */ }
}
