/** Converts failures of SQLite to BargeError. */
import { BargeError } from "../../error.ts";

/** Returns a BargeError for an error of SQLite (sqlite.org/rescode.html), and any other error as it is. */
export function databaseError(error: unknown, path: string): unknown {
  const code = resultCode(error);
  if (code === undefined) return error;
  const facts = { op: "database", path, cause: error };
  switch (code & 0xff) {
    case 5: // BUSY
    case 6: // LOCKED
      return new BargeError("unavailable", "it is locked by another program", {
        ...facts,
        hint: "try again; if it stays locked, find out who holds it with `fuser`",
      });
    case 7: // NOMEM
    case 9: // INTERRUPT
    case 15: // PROTOCOL
    case 17: // SCHEMA
      return new BargeError("unavailable", (error as Error).message, {
        ...facts,
        hint: "try again",
      });
    case 13: // FULL
      return new BargeError("no-space", "the disk is full", facts);
    case 11: // CORRUPT
    case 26: // NOTADB
      return new BargeError("fatal", "it is damaged, or no database", {
        ...facts,
        hint: "put a backup of accounts.db back in its place",
      });
    case 3: // PERM
    case 8: // READONLY
    case 14: // CANTOPEN
    case 23: // AUTH
      return new BargeError("denied", (error as Error).message, facts);
    case 10: // IOERR
      return new BargeError("io", (error as Error).message, facts);
    default: // a bug
      return error;
  }
}

/** The texts of result codes: for a failed `open` or `exec` Deno gives no code. */
const texts: Record<string, number> = {
  "access permission denied": 3,
  "database is locked": 5,
  "database table is locked": 6,
  "out of memory": 7,
  "attempt to write a readonly database": 8,
  "interrupted": 9,
  "disk I/O error": 10,
  "database disk image is malformed": 11,
  "database or disk is full": 13,
  "unable to open database file": 14,
  "locking protocol": 15,
  "database schema has changed": 17,
  "file is not a database": 26,
};

function resultCode(error: unknown): number | undefined {
  const { code, errcode, message } = error as { code?: string; errcode?: number; message?: string };
  if (code !== "ERR_SQLITE_ERROR") return undefined;
  if (typeof errcode === "number") return errcode;
  return Object.entries(texts).find(([text]) => message?.startsWith(text))?.[1];
}
