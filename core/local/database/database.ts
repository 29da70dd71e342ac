/**
 * The one connection of an isolate to `accounts.db`: SQLite in WAL mode, safe while a server's
 * workers and several command-line programs use it at once.
 *
 * Every write goes through {@link Database.transaction}: it takes the write lock at its start
 * (BEGIN IMMEDIATE), so that what it reads can't change before it writes. Transactions are
 * synchronous: two of one isolate can't interleave. Nested ones are savepoints, or part of the one
 * around them ({@link Database.joined}).
 */
import { DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { randomBytes } from "node:crypto";
import { BargeError, typed } from "../../error.ts";
import { foreignOwner, giveTo } from "../../disk/owner.ts";
import { refuseLost } from "./lost.ts";
import { OlderTables } from "./older_tables.ts";
import { applicationId, migrations } from "./schema.ts";
import { databaseError } from "./sqlite_error.ts";

/** The file's name in the data directory. */
export const databaseFile = "accounts.db";

export interface OpenOptions {
  /** Make the database if there is none. */
  readonly create?: boolean;
  /** Make it also where files exist that it does not know. */
  readonly adopt?: boolean;
  /** Upgrade the tables of an older barge. The caller must keep all other processes out. */
  readonly upgrade?: boolean;
  /** `relaxed`: a commit may be lost with the power, never torn. */
  readonly durability?: "full" | "relaxed";
  /** Milliseconds to wait for another program's transaction. */
  readonly busyTimeout?: number;
}

type Value = null | number | bigint | string;
type Row = Record<string, SQLOutputValue>;

export class Database implements Disposable {
  /** The data directory. */
  readonly data: string;
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #relaxed: boolean;
  readonly #statements = new Map<string, StatementSync>();
  /** Milliseconds to wait for another program's transaction. */
  readonly busyTimeout: number;
  #depth = 0;
  /** Why the transaction at hand is lost, though its work has not ended. */
  #lost: unknown;
  readonly #atCommit = new Map<string, () => void>();

  /**
   * Opens and checks the database, and makes the tables of a new one.
   *
   * @param data the data directory
   * @throws {OlderTables} for one of an older barge, without `upgrade`
   * @throws {BargeError} `not-found` without `create`; `fatal` for one that is lost, corrupt, not
   *   ours or from a newer version; `unavailable` when another program holds it locked
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
      this.#prepare(options, timeout);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Returns the first row, or undefined. */
  get<T = Row>(sql: string, ...values: Value[]): T | undefined {
    return this.#guard(() => this.#statement(sql).get(...values)) as T | undefined;
  }

  /** Returns all rows, where they are few; otherwise use `inPages`. */
  all<T = Row>(sql: string, ...values: Value[]): T[] {
    return this.#guard(() => this.#statement(sql).all(...values)) as T[];
  }

  /** Runs a statement. @returns how many rows it changed, and the last new row's id */
  run(sql: string, ...values: Value[]): { changes: number; id: number } {
    const result = this.#guard(() => this.#statement(sql).run(...values));
    return { changes: Number(result.changes), id: Number(result.lastInsertRowid) };
  }

  /** Runs a statement once for each of the rows. @returns the last new row's id after each */
  runAll(sql: string, rows: readonly (readonly Value[])[]): number[] {
    return this.#guard(() => {
      const statement = this.#statement(sql);
      return rows.map((row) => Number(statement.run(...row).lastInsertRowid));
    });
  }

  /**
   * Runs `work` as one transaction: all of it, or, if it throws, none.
   *
   * @throws {BargeError} `unavailable` when the write lock can't be had; whatever `work` throws
   */
  transaction<T>(work: () => T): T {
    return this.#depth > 0 ? this.#savepoint(work) : this.#outermost(work);
  }

  /**
   * As {@link transaction}, if nobody else has the write lock: for who can do other things until then,
   * instead of blocking the isolate.
   *
   * @param light the transaction need not outlive a power cut, as with {@link lightly}
   * @returns what `work` returned; undefined when it was not run
   * @throws {BargeError} whatever `work` throws
   */
  attempt<T>(work: () => T, light = false): { readonly value: T } | undefined {
    if (this.#depth > 0) return { value: this.#savepoint(work) };
    if (!light || this.#relaxed) return this.#attempt(work);
    this.#script("PRAGMA synchronous = NORMAL");
    try {
      return this.#attempt(work);
    } finally {
      this.#script("PRAGMA synchronous = FULL");
    }
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
    return { value: this.#toCommit(work) };
  }

  /**
   * Runs `work` as part of the transaction at hand, or as one of its own. Costs no savepoint: whoever
   * catches what it throws must undo all that is around it.
   *
   * @throws as {@link transaction}
   */
  joined<T>(work: () => T): T {
    return this.#depth > 0 ? work() : this.#outermost(work);
  }

  /**
   * A transaction that need not outlive a power cut, and waits for no sync of the disk: for what
   * strangers can cause by the thousand. @throws {BargeError} as {@link transaction}
   */
  lightly<T>(work: () => T): T {
    if (this.#depth > 0 || this.#relaxed) return this.transaction(work);
    // Not as prepared statements: SQLite carries this one out when it is prepared.
    this.#script("PRAGMA synchronous = NORMAL");
    try {
      return this.transaction(work);
    } finally {
      this.#script("PRAGMA synchronous = FULL");
    }
  }

  /**
   * Does bookkeeping that may be left out, as {@link lightly}, if it can be done at once. Does not
   * wait for another program's write lock, and ignores a full disk.
   *
   * @returns whether it was done
   */
  note(work: () => unknown): boolean {
    try {
      return this.attempt(work, true) !== undefined;
    } catch (error) {
      if (error instanceof BargeError) return false;
      throw error;
    }
  }

  /**
   * Has `check` run at the end of the transaction at hand, when all its changes are made; what it
   * throws undoes them.
   *
   * @param key the same check need not run twice
   */
  atCommit(key: string, check: () => void): void {
    this.#atCommit.set(key, check);
  }

  /** Runs those checks now: before something that no rollback would undo. */
  checkNow(): void {
    for (const check of this.#atCommit.values()) check();
    this.#atCommit.clear();
  }

  /** Returns a secret of this data directory, which the first call makes. */
  secret(name: string): string {
    const read = () => this.get<{ value: string }>("SELECT value FROM meta WHERE key = ?", name);
    const known = read();
    if (known) return known.value; // without the write lock: strangers can cause this
    return this.transaction(() => {
      const row = read();
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

  #prepare(options: OpenOptions, timeout: number): void {
    // Checked before any change: the database may be another program's.
    this.#refuseForeign();
    this.#switchToWal(timeout);
    this.#exec(`PRAGMA synchronous = ${options.durability === "relaxed" ? "NORMAL" : "FULL"}`);
    this.#exec("PRAGMA foreign_keys = ON");
    // Savepoints keep a few pages to undo, which SQLite would write to a file in /var/tmp.
    this.#exec("PRAGMA temp_store = MEMORY");
    this.#exec("PRAGMA recursive_triggers = ON");
    const newest = migrations.length;
    const version = this.#version();
    if (version === newest) return;
    if (version > 0 && !options.upgrade) throw new OlderTables(version, this.#path);
    this.transaction(() => {
      this.#refuseForeign();
      this.#exec(`PRAGMA application_id = ${applicationId}`);
      for (let v = this.#version(); v < newest; v++) this.#script(migrations[v]);
      this.#exec(`PRAGMA user_version = ${newest}`);
    });
  }

  /** @throws {BargeError} `fatal` for a database that is not ours, or newer than we know */
  #refuseForeign(): void {
    const refuse = (why: string, hint: string) =>
      new BargeError("fatal", why, { op: "open database", path: this.#path, hint });
    const id = this.get<{ application_id: number }>("PRAGMA application_id")!.application_id;
    const version = this.#version();
    if (id !== applicationId) {
      const tables = this.get<{ n: number }>("SELECT count(*) AS n FROM sqlite_master")!.n;
      if (id === 0 && version === 0 && tables === 0) return; // new
      throw refuse("it is a database of another program", "name another directory with --data");
    }
    if (version > migrations.length) {
      throw refuse(
        `it was made by a newer barge (version ${version} of the tables, this one knows ${migrations.length})`,
        "use that barge, or a newer one",
      );
    }
  }

  /**
   * SQLite does not wait for the lock that this switch needs, when several programs open a new
   * database at once; for the write lock it does. Where it can't be done (no shared memory), the
   * database stays as it is: slower, and as safe.
   */
  #switchToWal(timeout: number): void {
    const deadline = performance.now() + timeout;
    while (true) {
      try {
        this.get("PRAGMA journal_mode = WAL");
        return;
      } catch (error) {
        const busy = error instanceof BargeError && error.kind === "unavailable";
        if (!busy || performance.now() > deadline) throw error;
        this.transaction(() => {});
      }
    }
  }

  #version(): number {
    return this.get<{ user_version: number }>("PRAGMA user_version")!.user_version;
  }

  #statement(sql: string): StatementSync {
    this.#alive();
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#db.prepare(sql));
    return statement;
  }

  #outermost<T>(work: () => T): T {
    this.#exec("BEGIN IMMEDIATE");
    return this.#toCommit(work);
  }

  /** Runs the work after BEGIN, and commits. */
  #toCommit<T>(work: () => T): T {
    this.#lost = undefined;
    this.#atCommit.clear();
    this.#depth++;
    try {
      const result = work();
      this.checkNow();
      this.#alive();
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
      } else this.#lost ??= error;
      throw error;
    } finally {
      this.#depth--;
    }
  }

  /**
   * SQLite itself rolls everything back on some errors (a full disk): what follows must not run as
   * if it were still in the transaction.
   */
  #alive(): void {
    if (this.#depth > 0 && !this.#db.isTransaction) {
      throw this.#lost ??
        new BargeError("io", "the transaction was rolled back", { path: this.#path });
    }
  }

  #exec(sql: string): void {
    this.#guard(() => this.#statement(sql).run());
  }

  /** Several statements. Deno's `exec` gives no result code, so that {@link databaseError} reads the text. */
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
 * Makes the file, for its owner's eyes only, before SQLite makes it for everyone's; it gives the
 * same mode and owner to the two files that it lays beside it.
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
