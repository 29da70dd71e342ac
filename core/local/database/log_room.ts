/**
 * Reserves room in the write-ahead log (`accounts.db-wal`) for a full disk: a removal, which makes room,
 * and the login before it must be written to the log first. SQLite rewrites a checkpointed log from its
 * start and never shortens the file, so the server makes it long when it starts.
 *
 * The length is twice the one at which SQLite begins again, since it appends behind that while a reader
 * uses an older state, or the database can't grow for a checkpoint. File systems that write changes to
 * other blocks (btrfs, ZFS) need room all the same.
 */
import { statfsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { typed } from "../../error.ts";
import { databaseFile } from "./database.ts";
import { databaseError } from "./sqlite_error.ts";

const logBytes = 8 * 1024 * 1024;
/** The largest part of the free space that is reserved. */
const maxFreeShare = 1 / 4;

/**
 * Makes the log long. The caller keeps the database open: the last connection removes the log.
 *
 * @param data the data directory
 * @throws {BargeError} `no-space`, `unavailable`, `io`
 */
export function makeLogRoom(data: string): void {
  const path = `${data}/${databaseFile}`;
  const [wanted, length] = logRoom(data);
  if (length >= wanted) return;
  try {
    using db = new DatabaseSync(path, { timeout: 5000 });
    // SQLite writes a transaction that outgrows the cache to the log before its end. This one is rolled
    // back: nothing is synced, and the database does not change.
    db.exec("PRAGMA cache_size = 16");
    db.exec("BEGIN IMMEDIATE");
    db.exec("CREATE TABLE room (bytes BLOB)");
    db.prepare("INSERT INTO room VALUES (zeroblob(?))").run(wanted);
    db.exec("ROLLBACK");
  } catch (error) {
    throw databaseError(error, path);
  }
}

/** Returns the number of bytes that the log should have, and of those that it has. */
function logRoom(data: string): [wanted: number, length: number] {
  try {
    const { bavail, bsize } = statfsSync(data);
    const log = statSync(`${data}/${databaseFile}-wal`, { throwIfNoEntry: false });
    return [Math.min(logBytes, Math.floor(bavail * bsize * maxFreeShare)), log?.size ?? 0];
  } catch (error) {
    throw typed(error, { op: "look at the disk", path: data });
  }
}
