/**
 * Room in the write-ahead log (`accounts.db-wal`) for a disk that is full.
 *
 * A removal makes room on a full disk, but it, and the login before it, must be written to the log
 * first. SQLite rewrites a checkpointed log from its start and never shortens the file, so a log
 * that was long once needs no more room. The server makes it long when it starts.
 *
 *   |= used, up to 1000 pages =|- checkpoint, begin again -> |------ never needed but here ------|
 *
 * SQLite can't begin again while a reader uses an older state, or while the database itself can't
 * grow for a checkpoint. It then appends behind the usual end, where some room is reserved, too.
 * File systems that write changes to other blocks (btrfs, ZFS) need room for those all the same.
 */
import { statfsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { typed } from "../../error.ts";
import { databaseFile } from "./database.ts";
import { databaseError } from "./sqlite_error.ts";

/** Twice the length at which SQLite begins again. */
const logBytes = 8 * 1024 * 1024;
/** The largest share of the free space that is taken. */
const maxFreeShare = 1 / 4;

/**
 * Makes the log as long as it may be needed. The caller must hold the database open meanwhile and
 * later: the last connection to close removes the log.
 *
 * @param data the data directory
 * @throws {BargeError} `no-space`, `unavailable`, `io`
 */
export function makeLogRoom(data: string): void {
  const path = `${data}/${databaseFile}`;
  const bytes = Math.min(logBytes, freeBytes(data) * maxFreeShare);
  if (lengthOf(`${path}-wal`) >= bytes) return;
  try {
    const db = new DatabaseSync(path, { timeout: 5000 });
    try {
      // A transaction that outgrows the cache is written to the log before its end, and this one is
      // then taken back: nothing is synced, and the database is as it was.
      db.exec("PRAGMA cache_size = 16");
      db.exec("BEGIN IMMEDIATE");
      db.exec("CREATE TABLE room (bytes BLOB)");
      db.prepare("INSERT INTO room VALUES (zeroblob(?))").run(Math.floor(bytes));
      db.exec("ROLLBACK");
    } finally {
      db.close();
    }
  } catch (error) {
    throw databaseError(error, path);
  }
}

function freeBytes(data: string): number {
  try {
    const { bavail, bsize } = statfsSync(data);
    return bavail * bsize;
  } catch (error) {
    throw typed(error, { op: "look at the disk", path: data });
  }
}

function lengthOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw typed(error, { path });
  }
}
