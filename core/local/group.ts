/**
 * Group commit: pieces of work that arrive together share one transaction, and so one sync.
 *
 * Each piece runs in a savepoint of its own: one that throws undoes itself and fails alone. If the
 * commit fails, all of them fail. Work runs in the order in which it was submitted. Neighbours of the
 * same kind can be one piece ({@link Group.join}): a hundred rows by one statement cost less than a
 * hundred statements.
 *
 *   submitted -> (another isolate has the write lock: gathered on) -> run -> committed, told
 *
 * While it waits for the lock, the isolate serves others, and the group grows.
 */
import { setImmediate } from "node:timers";
import type { Database } from "./database/database.ts";
import { BargeError } from "../error.ts";

/** What becomes of one piece: its value, or why it failed. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/**
 * Work on several inputs at once. What it throws undoes all that it did in the database, and is what
 * becomes of every input.
 *
 * @returns what becomes of each, in their order
 */
export type Together<I, T> = (inputs: readonly I[]) => readonly Outcome<T>[];

interface Job {
  readonly together: Together<never, unknown>;
  readonly input: unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

/** Steps around every transaction. */
export interface GroupSteps {
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

export interface GroupOptions extends GroupSteps {
  /** Need its transactions not outlive a power cut? Then they wait for no sync of the disk. */
  readonly light?: boolean;
  /** How long to wait for the write lock, in ms. Default: as the database does. */
  readonly patience?: number;
}

export class Group {
  readonly #db: Database;
  readonly #steps: GroupSteps;
  readonly #light: boolean;
  readonly #patience: number;
  #jobs: Job[] = [];

  constructor(db: Database, { light = false, patience, ...steps }: GroupOptions = {}) {
    this.#db = db;
    this.#steps = steps;
    this.#light = light;
    this.#patience = patience ?? db.busyTimeout;
  }

  /** Runs `work` in the next transaction. @returns what it returned, once that is committed */
  submit<T>(work: () => T): Promise<T> {
    return this.join(alone<T>, work);
  }

  /** Runs `together` in the next transaction, on this input and those that stand beside it in line. */
  join<I, T>(together: Together<I, T>, input: I): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#jobs.length === 0) this.#soon();
      this.#jobs.push({ together, input, resolve: resolve as (value: unknown) => void, reject });
    });
  }

  #soon(): void {
    const by = performance.now() + this.#patience;
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
        this.#steps.begin?.();
        for (const piece of pieces(jobs)) {
          const outcomes = this.#try(piece);
          piece.forEach(({ resolve, reject }, i) => {
            const outcome = outcomes[i];
            settle.push(() => "value" in outcome ? resolve(outcome.value) : reject(outcome.error));
          });
        }
        this.#steps.beforeCommit?.();
      }, this.#light);
      if (!ran) {
        if (performance.now() >= by) throw locked();
        setTimeout(() => this.#run(by), again);
        return;
      }
      this.#steps.afterCommit?.();
      for (const tell of settle) tell();
    } catch (error) {
      if (jobs.length === 0) jobs = this.#jobs.splice(0);
      this.#steps.failed?.();
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

/** The outcome of work that may throw. */
export function outcome<T>(work: () => T): Outcome<T> {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

/** Cuts the line into pieces: neighbours with the same work, but for what stands alone. */
function* pieces(jobs: readonly Job[]): Generator<readonly Job[]> {
  for (let start = 0, end; start < jobs.length; start = end) {
    const { together } = jobs[start];
    end = start + 1;
    while (together !== alone && jobs[end]?.together === together) end++;
    yield jobs.slice(start, end);
  }
}

/** Each in its own savepoint, which {@link Group} lays around every piece. */
function alone<T>(works: readonly (() => T)[]): readonly Outcome<T>[] {
  return works.map((work) => ({ value: work() }));
}

function locked(): BargeError {
  return new BargeError("unavailable", "the accounts' database is locked by another program", {
    hint: "try again; if it stays locked, find out who holds it with `fuser`",
  });
}
