/**
 * Group commit: pieces of work that arrive together share one transaction, and so one sync.
 *
 * Each piece runs in a savepoint of its own: one that throws undoes itself and fails alone. If the
 * commit fails, all of them fail. Work runs in the order in which it was submitted.
 *
 *   submitted -> (another isolate has the write lock: gathered on) -> run -> committed, told
 *
 * While it waits for the lock, the isolate serves others, and the group grows.
 */
import { setImmediate } from "node:timers";
import type { Database } from "../account/database.ts";
import { BargeError } from "../error.ts";

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
/** How soon to try again when another isolate has the write lock, in ms. */
const again = 1;

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
      if (this.#jobs.length === 0) this.#soon();
      this.#jobs.push({ work, resolve: resolve as (value: unknown) => void, reject });
    });
  }

  #soon(): void {
    const by = performance.now() + this.#db.busyTimeout;
    setImmediate(() => this.#run(by));
  }

  /** @param by when to give up, in ms as of performance.now() */
  #run(by: number): void {
    let jobs: Job[] = [];
    const settle: (() => void)[] = [];
    try {
      const ran = this.#db.attempt(() => {
        jobs = this.#jobs.splice(0, most);
        if (this.#jobs.length > 0) this.#soon();
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
      if (!ran) {
        if (performance.now() >= by) throw locked();
        setTimeout(() => this.#run(by), again);
        return;
      }
      this.#hooks.afterCommit?.();
      for (const tell of settle) tell();
    } catch (error) {
      if (jobs.length === 0) jobs = this.#jobs.splice(0);
      this.#hooks.failed?.();
      for (const { reject } of jobs) reject(error);
    }
  }
}

function locked(): BargeError {
  return new BargeError("unavailable", "the accounts' database is locked by another program", {
    hint: "try again; if it stays locked, find out who holds it with `fuser`",
  });
}
