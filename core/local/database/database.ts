/**
 * The connection of an isolate to `accounts.db`: SQLite in WAL mode, which a server's workers and
 * command-line programs may use at once.
 *
 * {@link Database.transaction} takes the write lock at its start (BEGIN IMMEDIATE), so that the rows
 * it reads can't change before it writes. Transactions are synchronous, so two transactions of one
 * isolate can't interleave. A nested transaction is a savepoint, or part of the outer transaction
 * ({@link Database.joined}).
 */
import { DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { randomBytes } from "node:crypto";
import { BargeError, typed } from "../../error.ts";
import { foreignOwner, giveTo } from "../../disk/owner.ts";
import type { SecretName } from "../../storage/secret_names.ts";
import { refuseLost } from "./lost.ts";
import { OlderTables } from "./older_tables.ts";
import { applicationId, migrations } from "./schema.ts";
import { databaseError } from "./sqlite_error.ts";

/** The file's name in the data directory. */
export const databaseFile = "accounts.db";

export interface OpenOptions {
  /** Create the database if it is missing. */
  readonly create?: boolean;
  /** Create it even if the data directory has users' files; the new database has no rows for them. */
  readonly adopt?: boolean;
  /** Upgrade the tables of an older barge, while the caller keeps all other processes out. */
  readonly upgrade?: boolean;
  /** `relaxed`: a power failure may lose the last commits, but never a part of a commit. */
  readonly durability?: "full" | "relaxed";
  /** How long to wait for another connection's transaction, in ms. */
  readonly busyTimeout?: number;
}

/** The rows of a statement that inserts many. A statement with more is hardly faster. */
const statementRows = 16;

type Value = null | number | bigint | string;
type Row = Record<string, SQLOutputValue>;
type NewRow = Readonly<Record<string, Value>>;

export class Database implements Disposable {
  /** The data directory. */
  readonly data: string;
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #relaxed: boolean;
  readonly #statements = new Map<string, StatementSync>();
  /** How long to wait for another connection's transaction, in ms. */
  readonly busyTimeout: number;
  #depth = 0;
  /** The error after which SQLite rolled the current transaction back. */
  #rollbackCause: unknown;
  readonly #commitChecks = new Map<string, () => void>();

  /**
   * Opens and checks the database, and makes the tables of a new one.
   *
   * @param data the data directory
   * @throws {OlderTables} for a database of an older barge, without `upgrade`
   * @throws {BargeError} `not-found` for a missing database, without `create`; `fatal` for a lost or
   *   damaged one, or one of another program or a newer barge; `unavailable` while it is locked
   */
  constructor(data: string, options: OpenOptions = {}) {
    this.data = data;
    this.#path = `${data}/${databaseFile}`;
    this.#relaxed = options.durability === "relaxed";
    if (!options.adopt) refuseLost(data, this.#path);
    if (!options.create && !exists(this.#path)) {
      throw new BargeError("not-found", "there is no barge data directory here", {
        op: "open",
        path: data,
        hint: "name the server's directory with --data or BARGE_DATA",
      });
    }
    if (options.create) makePrivate(this.#path);
    const timeout = this.busyTimeout = options.busyTimeout ?? 5000;
    this.#db = this.#guard(() => new DatabaseSync(this.#path, { timeout }));
    try {
      this.#prepare(options);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Returns the first row, or undefined. */
  get<T = Row>(sql: string, ...values: Value[]): T | undefined {
    return this.#guard(() => this.#statement(sql).get(...values)) as T | undefined;
  }

  /** Returns the first column of the first row, or undefined. */
  value<T>(sql: string, ...values: Value[]): T | undefined {
    return Object.values(this.get(sql, ...values) ?? {})[0] as T | undefined;
  }

  /** Returns all rows; for a large table use `inPages`. */
  all<T = Row>(sql: string, ...values: Value[]): T[] {
    return this.#guard(() => this.#statement(sql).all(...values)) as T[];
  }

  /** Runs a statement. @returns the number of rows it changed, and the id of the last new row */
  run(sql: string, ...values: Value[]): { changes: number; id: number } {
    const result = this.#guard(() => this.#statement(sql).run(...values));
    return { changes: Number(result.changes), id: Number(result.lastInsertRowid) };
  }

  /** Inserts a row. @param conflict an ON CONFLICT clause @returns as {@link run} */
  insert(table: string, row: NewRow, conflict = ""): ReturnType<Database["run"]> {
    const columns = Object.keys(row);
    const sql = `INSERT INTO ${table} (${columns.join(", ")})
      VALUES (${columns.map(() => "?").join(", ")}) ${conflict}`;
    return this.run(sql, ...Object.values(row));
  }

  /** Inserts a row, or updates the row with the same key. @param values the columns beside the key */
  upsert(table: string, key: NewRow, values: NewRow): void {
    const changes = Object.keys(values).map((column) => `${column} = excluded.${column}`);
    this.insert(table, { ...key, ...values }, `ON CONFLICT DO UPDATE SET ${changes.join(", ")}`);
  }

  /** Runs a statement once for each row. */
  runAll(sql: string, rows: readonly (readonly Value[])[]): void {
    for (const row of rows) this.run(sql, ...row);
  }

  /**
   * Inserts several rows. A statement for many of them takes a third of the time that one for each takes.
   *
   * @param sql with `ROWS` in place of the rows of values
   * @returns the ids of the new rows, for a table whose ids are AUTOINCREMENT, and a statement in which no row can
   *   conflict: it numbers its rows
   */
  insertAll(sql: string, rows: readonly (readonly Value[])[]): number[] {
    const ids: number[] = [];
    for (let at = 0, count; at < rows.length; at += count) {
      count = rows.length - at < statementRows ? 1 : statementRows;
      const row = `(${rows[at].map(() => "?").join(", ")})`;
      const values = rows.slice(at, at + count).flat();
      const { id } = this.run(sql.replace("ROWS", Array(count).fill(row).join(", ")), ...values);
      for (let before = count - 1; before >= 0; before--) ids.push(id - before);
    }
    return ids;
  }

  /**
   * Runs `work` as one transaction, which is rolled back if it throws.
   *
   * @throws {BargeError} `unavailable` when another connection keeps the write lock; the error of `work`
   */
  transaction<T>(work: () => T): T {
    return this.#depth > 0 ? this.#savepoint(work) : this.#outermost(work);
  }

  /**
   * Runs a transaction if no other connection has the write lock; for callers that can do other work
   * until then.
   *
   * @param unsynced commit without a sync, as {@link unsyncedTransaction} does
   * @returns the result of `work`; undefined when it was not run
   * @throws {BargeError} the error of `work`
   */
  attempt<T>(work: () => T, unsynced = false): { readonly value: T } | undefined {
    if (this.#depth > 0) return { value: this.#savepoint(work) };
    return unsynced ? this.#unsynced(() => this.#attempt(work)) : this.#attempt(work);
  }

  #attempt<T>(work: () => T): { readonly value: T } | undefined {
    this.#script("PRAGMA busy_timeout = 0");
    try {
      this.#exec("BEGIN IMMEDIATE");
    } catch (error) {
      if (error instanceof BargeError && error.kind === "unavailable") return undefined;
      throw error;
    } finally {
      this.#script(`PRAGMA busy_timeout = ${this.busyTimeout}`);
    }
    return { value: this.#runAndCommit(work) };
  }

  /**
   * Runs `work` as part of the current transaction, or as a new transaction if there is none. There is no
   * savepoint: a caller that catches an error of `work` must roll back the whole transaction.
   *
   * @throws as {@link transaction}
   */
  joined<T>(work: () => T): T {
    return this.#depth > 0 ? work() : this.#outermost(work);
  }

  /**
   * Runs a transaction without a sync of the disk, so that a power failure may lose it. It is for changes
   * that clients without a login can cause by the thousand.
   *
   * @throws as {@link transaction}
   */
  unsyncedTransaction<T>(work: () => T): T {
    return this.#unsynced(() => this.transaction(work));
  }

  #unsynced<T>(work: () => T): T {
    if (this.#depth > 0 || this.#relaxed) return work();
    // Run as a script: SQLite applies this pragma while it prepares the statement, not when it runs it.
    this.#script("PRAGMA synchronous = NORMAL");
    try {
      return work();
    } finally {
      this.#script("PRAGMA synchronous = FULL");
    }
  }

  /** Runs a transaction that may be skipped: it does not wait for the write lock, and ignores failures. */
  bestEffort(work: () => unknown): void {
    try {
      this.attempt(work, true);
    } catch (error) {
      if (!(error instanceof BargeError)) throw error;
    }
  }

  /**
   * Adds a check to the end of the current transaction; an error of the check rolls it back.
   *
   * @param key a check with the same key replaces it
   */
  atCommit(key: string, check: () => void): void {
    this.#commitChecks.set(key, check);
  }

  /** Runs the checks of {@link atCommit} now, for a caller whose next step a rollback can't undo. */
  runCommitChecks(): void {
    for (const check of this.#commitChecks.values()) check();
    this.#commitChecks.clear();
  }

  /** Returns a secret of this data directory; the first call makes it. */
  secret(name: SecretName): string {
    const read = () => this.value<string>("SELECT value FROM meta WHERE key = ?", name);
    const make = () => {
      const value = randomBytes(32).toString("base64");
      this.insert("meta", { key: name, value });
      return value;
    };
    // Read without the write lock first, since clients without a login can cause this call.
    return read() ?? this.transaction(() => read() ?? make());
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#db.close();
  }

  #prepare({ upgrade }: OpenOptions): void {
    this.#refuseForeign(); // before any change
    this.#switchToWal();
    this.#exec(`PRAGMA synchronous = ${this.#relaxed ? "NORMAL" : "FULL"}`);
    this.#exec("PRAGMA foreign_keys = ON");
    this.#exec("PRAGMA temp_store = MEMORY"); // else savepoints write their undo pages to /var/tmp
    this.#exec("PRAGMA recursive_triggers = ON");
    const newest = migrations.length;
    const version = this.#version();
    if (version === newest) return;
    if (version > 0 && !upgrade) throw new OlderTables(version, this.#path);
    this.transaction(() => {
      this.#refuseForeign();
      this.#exec(`PRAGMA application_id = ${applicationId}`);
      for (let v = this.#version(); v < newest; v++) this.#script(migrations[v]);
      this.#exec(`PRAGMA user_version = ${newest}`);
    });
  }

  /** Checks whose database it is. @throws {BargeError} `fatal` for one of another program or a newer barge */
  #refuseForeign(): void {
    const refusal = (why: string, hint: string) =>
      new BargeError("fatal", why, { op: "open database", path: this.#path, hint });
    const id = this.value("PRAGMA application_id");
    const version = this.#version();
    if (id !== applicationId) {
      const tables = this.value("SELECT count(*) FROM sqlite_master");
      if (id === 0 && version === 0 && tables === 0) return; // new
      throw refusal("it is a database of another program", "name another directory with --data");
    }
    if (version > migrations.length) {
      throw refusal(
        `it was made by a newer barge (version ${version}; this barge supports ${migrations.length})`,
        "use the newer barge",
      );
    }
  }

  /**
   * Switches to WAL mode. When several programs open a new database at once, the switch fails in all but
   * one of them, without waiting; this method then waits for the write lock and tries again. A system
   * without shared memory keeps the rollback journal, which is slower and as safe.
   */
  #switchToWal(): void {
    const deadline = performance.now() + this.busyTimeout;
    while (true) {
      try {
        return void this.get("PRAGMA journal_mode = WAL");
      } catch (error) {
        const busy = error instanceof BargeError && error.kind === "unavailable";
        if (!busy || performance.now() > deadline) throw error;
        this.transaction(() => {});
      }
    }
  }

  #version(): number {
    return this.value<number>("PRAGMA user_version")!;
  }

  #statement(sql: string): StatementSync {
    this.#checkTransaction();
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#db.prepare(sql));
    return statement;
  }

  #outermost<T>(work: () => T): T {
    this.#exec("BEGIN IMMEDIATE");
    return this.#runAndCommit(work);
  }

  /** Runs `work` in a transaction that has begun, then commits it, or rolls it back on an error. */
  #runAndCommit<T>(work: () => T): T {
    this.#rollbackCause = undefined;
    this.#commitChecks.clear();
    this.#depth++;
    try {
      const result = work();
      this.runCommitChecks();
      this.#checkTransaction();
      this.#exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#exec("ROLLBACK");
      throw error;
    } finally {
      this.#depth--;
    }
  }

  #savepoint<T>(work: () => T): T {
    const name = `s${this.#depth}`;
    this.#exec(`SAVEPOINT ${name}`);
    this.#depth++;
    try {
      const result = work();
      this.#exec(`RELEASE ${name}`);
      return result;
    } catch (error) {
      if (this.#db.isTransaction) {
        this.#exec(`ROLLBACK TO ${name}`);
        this.#exec(`RELEASE ${name}`);
      } else this.#rollbackCause ??= error;
      throw error;
    } finally {
      this.#depth--;
    }
  }

  /** Throws if SQLite has rolled the transaction back on its own, as on a full disk. */
  #checkTransaction(): void {
    if (this.#depth > 0 && !this.#db.isTransaction) {
      throw this.#rollbackCause ??
        new BargeError("io", "the transaction was rolled back", { path: this.#path });
    }
  }

  #exec(sql: string): void {
    this.#guard(() => this.#statement(sql).run());
  }

  /** Runs several statements. */
  #script(sql: string): void {
    this.#guard(() => this.#db.exec(sql));
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw databaseError(error, this.#path);
    }
  }
}

/**
 * Creates the database file, readable by its owner only. SQLite would make it readable by everyone. SQLite
 * copies the mode and owner of this file to the `-wal` and `-shm` files.
 */
function makePrivate(path: string): void {
  try {
    const made = !exists(path);
    Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close();
    if (made) giveTo(foreignOwner(path.replace(/[^/]*$/, "")), path);
  } catch (error) {
    throw typed(error, { op: "make database", path });
  }
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw typed(error, { op: "open", path });
  }
}
