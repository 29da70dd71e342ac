/** Progress and problems of a migration. */
import { type BargeError, type Kind, typed } from "../error.ts";
import type { ReconcileEvent } from "../storage/problem.ts";
import { type Place, relative } from "../storage/place.ts";

/** An entry that could not be migrated. */
export interface MigrateProblem {
  readonly kind: Kind;
  /** A path below the data directory, or an account's name. */
  readonly path: string;
  readonly what: string;
}

export interface MigrateOptions {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: ReconcileEvent) => void;
  readonly onProblem?: (problem: MigrateProblem) => void;
}

export interface Migrated {
  /** The number of files whose bytes were copied, and the number of these bytes. */
  readonly files: number;
  readonly bytes: number;
  /** The number of files that the target had already. */
  readonly kept: number;
  /** The number of files and folders that were removed, because the source does not have them. */
  readonly removed: number;
  readonly accounts: number;
  readonly uploads: number;
  readonly problems: readonly MigrateProblem[];
}

/** Counts what a migration does, and reports it. */
export class Report {
  readonly #options: MigrateOptions;
  readonly problems: MigrateProblem[] = [];
  files = 0;
  bytes = 0;
  kept = 0;
  removed = 0;
  uploads = 0;

  constructor(options: MigrateOptions) {
    this.#options = options;
  }

  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  plan(files: number, bytes: number): void {
    this.#options.onEvent?.({ type: "plan", files, bytes });
  }

  /** Reports the start of a file. @param skipped the number of its bytes that are not copied */
  start(place: Place, skipped: number): void {
    this.#options.signal?.throwIfAborted();
    this.#options.onEvent?.({ type: "start", path: relative(place), skipped });
  }

  moved(count: number): void {
    this.#options.signal?.throwIfAborted();
    this.bytes += count;
    this.#options.onEvent?.({ type: "bytes", count });
  }

  done(): void {
    this.#options.onEvent?.({ type: "done" });
  }

  /** Reports a failure on one entry, which the migration leaves out. @throws any other failure */
  failed(path: string, error: unknown): void {
    const { kind, message } = known(error);
    const problem = { kind, path, what: message };
    this.problems.push(problem);
    this.#options.onProblem?.(problem);
  }

  result(accounts: number): Migrated {
    const { files, bytes, kept, removed, uploads, problems } = this;
    return { files, bytes, kept, removed, accounts, uploads, problems };
  }
}

/** The kinds of failures that concern one entry only. */
const ofEntry: ReadonlySet<Kind> = new Set([
  "digest",
  "io",
  "denied",
  "changed",
  "exists",
  "not-found",
  "no-directory",
]);

function known(error: unknown): BargeError {
  const failure = typed(error);
  if (ofEntry.has(failure.kind)) return failure;
  throw error;
}
