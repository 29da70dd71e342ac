/**
 * Group commit: pieces of work that arrive together share one transaction, and so one sync.
 *
 * Each piece runs in a savepoint of its own: one that throws undoes itself and fails alone. If the
 * commit fails, all of them fail. Work runs in the order in which it was submitted.
 */
import { setImmediate } from "node:timers";
import type { Database } from "../account/database.ts";

interface Job {
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

export interface Hooks {
  /** Runs first in every transaction. */
  readonly begin?: () => void;
  /** Runs last in every transaction; if it throws, nothing is committed. */
  readonly beforeCommit?: () => void;
  readonly afterCommit?: () => void;
  /** Nothing was committed; runs before anyone is told. */
  readonly failed?: () => void;
}

/** At most so many pieces a transaction, to keep the write lock short. */
const most = 128;

export class Group {
  readonly #db: Database;
  readonly #hooks: Hooks;
  #jobs: Job[] = [];

  constructor(db: Database, hooks: Hooks = {}) {
    this.#db = db;
    this.#hooks = hooks;
  }

  /** Runs `work` in the next transaction. @returns what it returned, once that is committed */
  submit<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#jobs.length === 0) setImmediate(() => this.#run());
      this.#jobs.push({ work, resolve: resolve as (value: unknown) => void, reject });
    });
  }

  #run(): void {
    const jobs = this.#jobs.splice(0, most);
    if (this.#jobs.length > 0) setImmediate(() => this.#run());
    const settle: (() => void)[] = [];
    try {
      this.#db.transaction(() => {
        this.#hooks.begin?.();
        for (const { work, resolve, reject } of jobs) {
          try {
            const value = this.#db.transaction(work);
            settle.push(() => resolve(value));
          } catch (error) {
            settle.push(() => reject(error));
          }
        }
        this.#hooks.beforeCommit?.();
      });
      this.#hooks.afterCommit?.();
      for (const tell of settle) tell();
    } catch (error) {
      this.#hooks.failed?.();
      for (const { reject } of jobs) reject(error);
    }
  }
}
