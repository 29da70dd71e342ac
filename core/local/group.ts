/**
 * Group commit: pieces of work that arrive together share one transaction, and so one sync.
 *
 * Each piece runs in a savepoint of its own: a piece that throws is undone and fails alone. If the commit
 * fails, all pieces fail. Work runs in the order in which it was submitted. Neighbors of the same kind
 * can be one piece ({@link Group.join}): one statement for a hundred rows costs less than a hundred
 * statements.
 *
 *   submitted -> (another isolate has the write lock: more is submitted) -> run -> committed -> settled
 *
 * While it waits for the lock, the isolate serves others, and the group grows.
 */
import { setImmediate } from "node:timers";
import type { Database } from "./database/database.ts";
import { BargeError } from "../error.ts";

/** The outcome of one piece of work. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/**
 * Work on several inputs at once. If it throws, all that it did in the database is undone, and every
 * input fails with that error.
 *
 * @returns the outcome of each input, in their order
 */
export type Together<I, T> = (inputs: readonly I[]) => readonly Outcome<T>[];

interface Job {
  readonly together: Together<never, unknown>;
  readonly input: unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

export interface GroupOptions {
  /** Whether a power cut may undo its transactions: they wait for no sync of the disk. */
  readonly unsynced?: boolean;
  /** The longest wait for the write lock, in ms. Default: that of the database. */
  readonly lockTimeoutMs?: number;
  /** Runs first in every transaction. */
  readonly begin?: () => void;
  /** Runs last in every transaction; if it throws, nothing is committed. */
  readonly beforeCommit?: () => void;
  readonly afterCommit?: () => void;
  /** Runs when nothing was committed, before any promise is settled. */
  readonly failed?: () => void;
}

/** The most pieces of work in a transaction, to keep the write lock short. */
const maxGroupJobs = 128;
/** The time until another attempt when another isolate has the write lock, in ms. */
const retryMs = 1;

export class Group {
  readonly #db: Database;
  readonly #options: GroupOptions;
  #jobs: Job[] = [];

  constructor(db: Database, options: GroupOptions = {}) {
    this.#db = db;
    this.#options = options;
  }

  /** Runs `work` in the next transaction. @returns its result, once that is committed */
  submit<T>(work: () => T): Promise<T> {
    return this.join(alone<T>, work);
  }

  /** Runs `together` in the next transaction, on this input and on its neighbors in the queue. */
  join<I, T>(together: Together<I, T>, input: I): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#jobs.length === 0) this.#soon();
      this.#jobs.push({ together, input, resolve: resolve as (value: unknown) => void, reject });
    });
  }

  #soon(): void {
    const by = performance.now() + (this.#options.lockTimeoutMs ?? this.#db.busyTimeout);
    setImmediate(() => this.#run(by));
  }

  /** Runs the queue. @param by the end of the wait for the write lock, in ms as of performance.now() */
  #run(by: number): void {
    let jobs: Job[] = [];
    const settle: (() => void)[] = [];
    try {
      const ran = this.#db.attempt(() => {
        jobs = this.#jobs.splice(0, maxGroupJobs);
        if (this.#jobs.length > 0) this.#soon();
        this.#options.begin?.();
        for (const piece of pieces(jobs)) {
          const outcomes = this.#try(piece);
          piece.forEach(({ resolve, reject }, i) => {
            const outcome = outcomes[i];
            settle.push(() => "value" in outcome ? resolve(outcome.value) : reject(outcome.error));
          });
        }
        this.#options.beforeCommit?.();
      }, this.#options.unsynced);
      if (!ran) {
        if (performance.now() >= by) throw locked();
        setTimeout(() => this.#run(by), retryMs);
        return;
      }
      this.#options.afterCommit?.();
      for (const settleOne of settle) settleOne();
    } catch (error) {
      if (jobs.length === 0) jobs = this.#jobs.splice(0);
      this.#options.failed?.();
      for (const { reject } of jobs) reject(error);
    }
  }

  #try(piece: readonly Job[]): readonly Outcome<unknown>[] {
    const together = piece[0].together as Together<unknown, unknown>;
    try {
      return this.#db.transaction(() => together(piece.map(({ input }) => input)));
    } catch (error) {
      return piece.map(() => ({ error }));
    }
  }
}

/** Returns the outcome of work that may throw. */
export function outcome<T>(work: () => T): Outcome<T> {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

/** Cuts the queue into pieces: neighbors with the same work are one piece, unless it is {@link alone}. */
function* pieces(jobs: readonly Job[]): Generator<readonly Job[]> {
  for (let start = 0, end; start < jobs.length; start = end) {
    const { together } = jobs[start];
    end = start + 1;
    while (together !== alone && jobs[end]?.together === together) end++;
    yield jobs.slice(start, end);
  }
}

/** Runs a piece that is never joined with others. */
function alone<T>(works: readonly (() => T)[]): readonly Outcome<T>[] {
  return works.map((work) => ({ value: work() }));
}

function locked(): BargeError {
  return new BargeError("unavailable", "the accounts' database is locked by another program", {
    hint: "try again; if it stays locked, find out who holds it with `fuser`",
  });
}
