/**
 * Reserves room in the write-ahead log (`accounts.db-wal`), so that users can remove files when the disk is
 * full: SQLite must log the login and the removal before the removal frees room. SQLite overwrites a
 * checkpointed log from its start and never shortens the file, so the server extends it at startup.
 *
 * The length is twice the length after which SQLite starts to overwrite the log. SQLite appends beyond
 * that while a reader uses an older state, or while the database can't grow for a checkpoint. File systems
 * that copy on write (btrfs, ZFS) still need free room.
 */
import { statfsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { typed } from "../../error.ts";
import { databaseFile } from "./database.ts";
import { databaseError } from "./sqlite_error.ts";

const logBytes = 8 * 1024 * 1024;
/** The largest fraction of the free space that the log may take. */
const maxFreeShare = 1 / 4;

/**
 * Extends the log. The caller keeps the database open: the last connection removes the log.
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
    // SQLite writes a transaction that is larger than its cache to the log before the commit. Rolling it
    // back leaves the log long and the database unchanged, without a sync.
    db.exec("PRAGMA cache_size = 16");
    db.exec("BEGIN IMMEDIATE");
    db.exec("CREATE TABLE room (bytes BLOB)");
    db.prepare("INSERT INTO room VALUES (zeroblob(?))").run(wanted);
    db.exec("ROLLBACK");
  } catch (error) {
    throw databaseError(error, path);
  }
}

/** Returns the length that the log should have, and the length that it has now, in bytes. */
function logRoom(data: string): [wanted: number, length: number] {
  try {
    const { bavail, bsize } = statfsSync(data);
    const log = statSync(`${data}/${databaseFile}-wal`, { throwIfNoEntry: false });
    return [Math.min(logBytes, Math.floor(bavail * bsize * maxFreeShare)), log?.size ?? 0];
  } catch (error) {
    throw typed(error, { op: "look at the disk", path: data });
  }
}
