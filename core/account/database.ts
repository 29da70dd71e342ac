/**
 * The one connection of an isolate to `accounts.db`: SQLite in WAL mode, safe while a server's
 * workers and several command-line programs use it at once.
 *
 * Every write goes through {@link Database.transaction}: it takes the write lock at its start
 * (BEGIN IMMEDIATE), so that what it reads can't change before it writes. Transactions are
 * synchronous: two of one isolate can't interleave. Nested ones are savepoints.
 */
import { DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { randomBytes } from "node:crypto";
import { BargeError } from "../error.ts";
import { applicationId, migrations } from "./schema.ts";

/** The file's name in the data directory. */
export const databaseFile = "accounts.db";

export interface OpenOptions {
  /** Make the database if there is none. */
  readonly create?: boolean;
  /** `relaxed`: a commit may be lost with the power, never torn. */
  readonly durability?: "full" | "relaxed";
  /** Milliseconds to wait for another program's transaction. */
  readonly busyTimeout?: number;
}

type Value = null | number | bigint | string;
type Row = Record<string, SQLOutputValue>;

export class Database implements Disposable {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;

  /**
   * Opens, checks and migrates.
   *
   * @param data the data directory
   * @throws {BargeError} `not-found` without `create`; `fatal` for one that is corrupt, not ours or
   *   from a newer version; `unavailable` when another program holds it locked
   */
  constructor(data: string, options: OpenOptions = {}) {
    this.#path = `${data}/${databaseFile}`;
    if (!options.create && !exists(this.#path)) {
      throw new BargeError("not-found", "there is no barge data directory here", {
        op: "open",
        path: data,
        hint:
          "name it with --data or BARGE_DATA, or make one with `barge serve` or `barge user add`",
      });
    }
    this.#db = this.#guard(() => {
      const db = new DatabaseSync(this.#path, { timeout: options.busyTimeout ?? 5000 });
      return db;
    });
    try {
      this.#prepare(options);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** The first row, or undefined. */
  get<T = Row>(sql: string, ...values: Value[]): T | undefined {
    return this.#guard(() => this.#statement(sql).get(...values)) as T | undefined;
  }

  /** All rows; for few, or for one folder's. */
  all<T = Row>(sql: string, ...values: Value[]): T[] {
    return this.#guard(() => this.#statement(sql).all(...values)) as T[];
  }

  /** Runs a statement. @returns how many rows it changed, and the last new row's id */
  run(sql: string, ...values: Value[]): { changes: number; id: number } {
    const result = this.#guard(() => this.#statement(sql).run(...values));
    return { changes: Number(result.changes), id: Number(result.lastInsertRowid) };
  }

  /**
   * Runs `work` as one transaction: all of it, or, if it throws, none.
   *
   * @throws {BargeError} `unavailable` when another program holds the write lock for too long;
   *   whatever `work` throws
   */
  transaction<T>(work: () => T): T {
    const nested = this.#depth > 0;
    const name = `s${this.#depth}`;
    this.#exec(nested ? `SAVEPOINT ${name}` : "BEGIN IMMEDIATE");
    this.#depth++;
    try {
      const result = work();
      this.#exec(nested ? `RELEASE ${name}` : "COMMIT");
      return result;
    } catch (error) {
      if (this.#db.isTransaction) {
        this.#exec(nested ? `ROLLBACK TO ${name}; RELEASE ${name}` : "ROLLBACK");
      }
      throw error;
    } finally {
      this.#depth--;
    }
  }

  /** A secret of this data directory's own, made when it was first asked for. */
  secret(name: string): string {
    return this.transaction(() => {
      const row = this.get<{ value: string }>("SELECT value FROM meta WHERE key = ?", name);
      if (row) return row.value;
      const value = randomBytes(32).toString("base64");
      this.run("INSERT INTO meta (key, value) VALUES (?, ?)", name, value);
      return value;
    });
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#db.close();
  }

  #prepare(options: OpenOptions): void {
    this.#exec("PRAGMA journal_mode = WAL");
    this.#exec(`PRAGMA synchronous = ${options.durability === "relaxed" ? "NORMAL" : "FULL"}`);
    this.#exec("PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON");
    const newest = migrations.length;
    if (this.#version() === newest) return;
    // Deno.umask is not for workers, so the mode is set after the fact; the folder is 0700 anyway.
    this.transaction(() => {
      const version = this.#version();
      const id = this.get<{ application_id: number }>("PRAGMA application_id")!.application_id;
      const tables = this.get<{ n: number }>("SELECT count(*) AS n FROM sqlite_master")!.n;
      if ((id !== applicationId && tables > 0) || version > newest) {
        const why = id === applicationId
          ? `it was made by a newer barge (version ${version} of the tables, this one knows ${newest})`
          : "it is a database of another program";
        throw new BargeError("fatal", why, { op: "open database", path: this.#path });
      }
      this.#exec(`PRAGMA application_id = ${applicationId}`);
      for (let v = version; v < newest; v++) this.#exec(migrations[v]);
      this.#exec(`PRAGMA user_version = ${newest}`);
    });
  }

  #version(): number {
    return this.get<{ user_version: number }>("PRAGMA user_version")!.user_version;
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#db.prepare(sql));
    return statement;
  }

  #exec(sql: string): void {
    this.#guard(() => this.#db.exec(sql));
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw sqliteError(error, this.#path);
    }
  }
}

/** SQLite's result codes (sqlite.org/rescode.html) as our kinds. */
function sqliteError(error: unknown, path: string): unknown {
  const code = (error as { errcode?: number }).errcode;
  if (typeof code !== "number") return error;
  const facts = { op: "database", path, cause: error };
  switch (code & 0xff) {
    case 5: // BUSY
    case 6: // LOCKED
      return new BargeError("unavailable", "it is locked by another program", {
        ...facts,
        hint: "try again; if it stays locked, find out who holds it with `fuser`",
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
    default: // a mistake of ours
      return error;
  }
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
