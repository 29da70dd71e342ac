/**
 * Connections to PostgreSQL. Their number is bounded, and every statement has a deadline.
 *
 * The library has no deadline, so a caller would wait for ever for a server that hangs. It also ends the
 * process when a connection is cut during one of the library's own transactions. So these transactions are not
 * used, and each connection is a pool of one, which is discarded once it was closed or has missed a deadline.
 *
 * The outcome of a COMMIT whose answer was lost is not known. {@link Postgres.transaction} then asks the
 * server for the state of the transaction by its id, so that the caller knows whether the change was made.
 */
import postgres from "postgres";
import { BargeError } from "../../error.ts";
import { reached } from "../../storage/fault.ts";
import { Closed, isLost, isRetriable, Late, typedError } from "./failure.ts";

export interface PostgresOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** Certificates, in PEM, of the authorities to trust; null: no TLS. Undefined: the system's. */
  readonly trust?: readonly string[] | null;
  /** The most connections. Default: 8. */
  readonly maxConnections?: number;
  /** The longest time of one statement, and of the wait for a connection, in ms. Default: 5,000. */
  readonly deadlineMs?: number;
}

/** A parameter of a statement: lists are passed as JSON. */
export type Value = string | number | boolean | Uint8Array | null;

/** Runs statements, on one connection or in one transaction. */
export interface Statements {
  /**
   * Runs one statement.
   *
   * @param text in SQL, with the parameters $1, $2 ...
   * @returns its rows; integers are numbers, and bytes are Uint8Arrays
   * @throws {BargeError} `unavailable` where the database does not answer
   */
  all<T extends object>(text: string, ...values: Value[]): Promise<T[]>;
}

/** A transaction. */
export interface Transaction extends Statements {
  /**
   * Runs a part of the transaction that may fail by itself: its changes are then undone, and the transaction goes on.
   *
   * @returns the outcome of the work; the reason of a failure is as {@link Postgres.transaction} throws it
   * @throws where the transaction as a whole can't go on
   */
  attempt<T>(work: () => Promise<T>): Promise<PromiseSettledResult<T>>;
}

/** One connection of the library, which connects again by itself once it was closed. */
interface Client {
  readonly sql: postgres.Sql<{ bigint: number }>;
  /**
   * Whether its connection was closed. Nothing may be sent any more: the library would connect again, and
   * run the rest of a transaction outside of it.
   */
  closed: boolean;
}

/** Options that the library would otherwise read from the environment, which a worker may not read. */
const explicit: object = {
  sslnegotiation: null,
  max_pipeline: 100,
  keep_alive: 60,
  prepare: true,
  debug: false,
  publications: "alltables",
};
const defaultConnections = 8;
const defaultDeadlineMs = 5_000;
/** The most callers that wait for a connection. */
const maxWaiting = 10_000;

/**
 * Limits a transaction, and returns its id. A node that is stopped, or cut off without notice, in the middle of a
 * transaction would hold its locks for ever: the server ends the transaction once it has waited too long for a
 * statement, or for another lock.
 */
function beginning(deadlineMs: number): string {
  const deadline = `${deadlineMs}ms`;
  return `BEGIN; SELECT pg_current_xact_id()::text AS id,
    set_config('statement_timeout', '${deadline}', true),
    set_config('idle_in_transaction_session_timeout', '${deadline}', true)`;
}

export class Postgres implements Statements, AsyncDisposable {
  readonly #options: PostgresOptions;
  readonly #deadlineMs: number;
  readonly #idle: Client[] = [];
  readonly #waiting: ((client: Client) => void)[] = [];
  #connections = 0;
  #closed = false;

  constructor(options: PostgresOptions) {
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
  }

  async all<T extends object>(text: string, ...values: Value[]): Promise<T[]> {
    try {
      return await this.#with((client) => this.#run<T>(client, text, values));
    } catch (error) {
      throw typedError(error);
    }
  }

  /**
   * Runs work in a transaction, READ COMMITTED. The work may run again after a deadlock.
   *
   * @throws what the work throws, with nothing changed; {BargeError} `unavailable` where the database does
   *   not answer: nothing is changed, unless the message says that the outcome is not known
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 0;; attempt++) {
      try {
        return await this.#attempt(work);
      } catch (error) {
        if (!isRetriable(error) || attempt === 2) throw error;
      }
    }
  }

  /**
   * Calls a function for each notification on a channel, also after the connection was lost for a while.
   * Notifications in that time are lost.
   *
   * @throws {BargeError} `unavailable` where the database does not answer now
   */
  async listen(channel: string, onNotify: (payload: string) => void): Promise<AsyncDisposable> {
    const { sql } = this.#connect();
    try {
      await this.#inTime(sql.listen(channel, onNotify));
    } catch (error) {
      sql.end({ timeout: 0 }).catch(() => {/* it is lost already */});
      throw typedError(error);
    }
    return { [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) };
  }

  async #attempt<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    let done: { readonly value: T } | undefined;
    let id: string | undefined;
    try {
      return await this.#with(async (client) => {
        const { tx, sent } = this.#transactionOn(client);
        try {
          id = await this.#begin(client);
          const value = await work(tx);
          await sent();
          done = { value };
          reached("written");
          await tx.all("COMMIT");
          reached("committed");
        } catch (error) {
          if (!isLost(error) && !client.closed) await tx.all("ROLLBACK");
          throw error;
        }
        return done!.value;
      });
    } catch (error) {
      if (!done || !isLost(error)) throw error;
      if (await this.#committed(id!)) return done.value;
      throw error;
    }
  }

  /** @returns the transaction, and a function that waits for the statements that nothing has waited for yet */
  #transactionOn(client: Client): { readonly tx: Transaction; sent(): Promise<unknown> } {
    const all: Transaction["all"] = (text, ...values) => this.#run(client, text, values);
    const unawaited: Promise<unknown>[] = [];
    // Sent with the next statement: one wait for both.
    const send = (text: string) => {
      const sent = all(text);
      sent.catch(() => {/* reported by `sent` */});
      unawaited.push(sent);
    };
    const tx: Transaction = {
      all,
      attempt: async <T>(work: () => Promise<T>): Promise<PromiseSettledResult<T>> => {
        send("SAVEPOINT attempt");
        try {
          const value = await work();
          send("RELEASE SAVEPOINT attempt");
          return { status: "fulfilled", value };
        } catch (error) {
          if (isLost(error) || isRetriable(error) || client.closed) throw error;
          await all("ROLLBACK TO SAVEPOINT attempt");
          send("RELEASE SAVEPOINT attempt");
          return { status: "rejected", reason: typedError(error) };
        }
      },
    };
    return { tx, sent: () => Promise.all(unawaited) };
  }

  /** Returns whether a transaction was committed. @param id as pg_current_xact_id() gives it */
  async #committed(id: string): Promise<boolean> {
    const until = Date.now() + 3 * this.#deadlineMs;
    let cause: unknown;
    while (Date.now() < until) {
      try {
        const [{ status }] = await this.all<{ status: string | null }>(
          "SELECT pg_xact_status($1::text::xid8) AS status",
          id,
        );
        if (status !== "in progress") return status === "committed";
      } catch (error) {
        cause = error;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new BargeError("unavailable", "the database did not answer: the outcome is not known", {
      hint: "look whether the change was made, before you try again",
      cause,
    });
  }

  /** Begins a transaction, in one query of two statements: one wait. @returns its id */
  async #begin(client: Client): Promise<string> {
    if (client.closed) throw new Closed();
    const begun = await this.#inTime(client.sql.unsafe(beginning(this.#deadlineMs)));
    const [, [{ id }]] = begun as unknown as [unknown, [{ readonly id: string }]];
    return id;
  }

  async #run<T extends object>(client: Client, text: string, values: Value[]): Promise<T[]> {
    if (client.closed) throw new Closed();
    return [...await this.#inTime(client.sql.unsafe<T[]>(text, values, { prepare: true }))];
  }

  /** @throws {Late} */
  async #inTime<T>(answer: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Late(this.#deadlineMs)), this.#deadlineMs);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
      answer.catch(() => {/* reported by the deadline */});
    }
  }

  async #with<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.#take();
    let lost = false;
    try {
      return await work(client);
    } catch (error) {
      lost = isLost(error);
      throw typedError(error);
    } finally {
      if (lost || client.closed) this.#discard(client);
      else this.#give(client);
    }
  }

  #take(): Promise<Client> {
    if (this.#closed) throw new BargeError("unavailable", "the server is shutting down");
    for (let idle; (idle = this.#idle.pop());) {
      if (!idle.closed) return Promise.resolve(idle);
      this.#end(idle);
    }
    if (this.#connections < (this.#options.maxConnections ?? defaultConnections)) {
      this.#connections++;
      return Promise.resolve(this.#connect());
    }
    if (this.#waiting.length >= maxWaiting) {
      throw new BargeError("unavailable", "too many requests wait for the database");
    }
    return new Promise((resolve, reject) => {
      const turn = (client: Client) => {
        clearTimeout(timer);
        resolve(client);
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(typedError(new Late(this.#deadlineMs)));
      }, this.#deadlineMs);
      this.#waiting.push(turn);
    });
  }

  #give(client: Client): void {
    const next = this.#waiting.shift();
    if (next) next(client);
    else this.#idle.push(client);
  }

  #discard(client: Client): void {
    this.#end(client);
    const next = this.#waiting.shift();
    if (!next || this.#closed) return;
    this.#connections++;
    next(this.#connect());
  }

  #end({ sql }: Client): void {
    this.#connections--;
    sql.end({ timeout: 0 }).catch(() => {/* it is lost already */});
  }

  #connect(): Client {
    const { host, port, database, user, password, trust } = this.#options;
    const tls = trust === null ? false : { ca: trust && [...trust], host };
    // The library splits a host that is no list at its colons, which an IPv6 address has. Its types lack lists.
    const address: object = { host: [host], port: [port] };
    const client = { closed: false } as { -readonly [K in keyof Client]: Client[K] };
    client.sql = postgres({
      ...address,
      database,
      username: user,
      password,
      ssl: tls as postgres.Options<Record<string, never>>["ssl"],
      max: 1,
      connect_timeout: this.#deadlineMs / 1000,
      idle_timeout: 0,
      max_lifetime: null,
      backoff: () => 0.3,
      fetch_types: false,
      onnotice: () => {},
      onclose: () => client.closed = true,
      // After a failover, only the server that takes writes is used.
      target_session_attrs: "read-write",
      ...explicit,
      connection: { application_name: "barge" },
      types: {
        bigint: { to: 20, from: [20], parse: Number, serialize: String },
      },
    });
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.map(({ sql }) => sql.end({ timeout: 1 })));
  }
}
