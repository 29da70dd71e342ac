/**
 * Room in the write-ahead log (`accounts.db-wal`) for a disk that is full.
 *
 * Whatever makes room on a full disk, a removal or a login before it, has to be written to the log.
 * SQLite writes a log that has been checkpointed from its start again, and keeps the file as long as
 * it is: a log that was long once needs no more room. So that this does not depend on how busy the
 * server has been, it is made long when the server starts.
 *
 *   |= used, up to 1000 pages =|- checkpoint, begin again -> |------ never needed but here ------|
 *
 * Where SQLite can't begin again (somebody reads an older state, or the database itself has to grow to
 * take what is in the log, and can't) it goes on behind its usual end; then, too, there is some room.
 * File systems that write changes to other blocks (btrfs, ZFS) need room for those all the same.
 */
import { statfsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { typed } from "../error.ts";
import { databaseFile } from "./database.ts";
import { databaseError } from "./sqlite_error.ts";

/** Twice as long as SQLite lets it become before it begins again. */
const logBytes = 8 * 1024 * 1024;
/** Of what is free, no more is taken. */
const share = 1 / 4;

/**
 * Makes the log as long as it may be needed. Somebody has to hold the database open from before this
 * call on: the last to close it removes the log.
 *
 * @param data the data directory
 * @throws {BargeError} `no-space`, `unavailable`, `io`
 */
export function makeLogRoom(data: string): void {
  const path = `${data}/${databaseFile}`;
  const bytes = Math.min(logBytes, freeBytes(data) * share);
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
