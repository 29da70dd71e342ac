/** Reads the accounts database without a change of any file, beside a running server or without one. */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { databaseFile } from "./database.ts";
import { databaseError } from "./sqlite_error.ts";

/**
 * Runs a query on the database of a data directory.
 *
 * SQLite makes the files of its log (`-wal`, `-shm`) when it opens a database without them, unless the URL
 * declares that nobody changes the database (`immutable`). A server that runs has both files, and a killed
 * server has left them: SQLite then would write a new index of the log, if it could write it (`readonly_shm`).
 *
 * @returns its rows
 * @throws {BargeError} `io` or `fatal` for a database that can't be read; `unavailable` while it is locked
 */
export function queryUnchanged<T>(data: string, sql: string, ...values: number[]): T[] {
  const path = `${data}/${databaseFile}`;
  const url = pathToFileURL(path);
  const isUsed = existsSync(`${path}-wal`) && existsSync(`${path}-shm`);
  url.searchParams.set(isUsed ? "readonly_shm" : "immutable", "1");
  try {
    using db = new DatabaseSync(url, { readOnly: true });
    return db.prepare(sql).all(...values) as T[];
  } catch (error) {
    throw databaseError(error, path);
  }
}
