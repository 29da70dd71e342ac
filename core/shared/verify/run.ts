/** One run of `barge verify` over shared storage: its options, its counts, and its reports. */
import { setTimeout as wait } from "node:timers/promises";
import type { Problem, ReconcileEvent } from "../../storage/problem.ts";
import type { Parts } from "../bucket/parts.ts";

export interface SharedVerifyOptions {
  /** Correct sums, and remove objects that nothing refers to. Files are never changed. */
  readonly repair: boolean;
  /** Read all bytes, and compare them with their digests. Otherwise, only the sizes of objects are checked. */
  readonly contents?: boolean;
  /** The most bytes to read in a second. Default: as fast as the store answers. */
  readonly maxBytesPerSecond?: number;
  /** The age from which an object that nothing refers to may be removed, in ms. Default: a day. */
  readonly orphanAgeMs?: number;
  readonly signal?: AbortSignal;
  readonly onProblem?: (problem: Problem) => void;
  readonly onEvent?: (event: ReconcileEvent) => void;
}

/** The numbers of what was checked, and of what was found: the problems themselves may be too many to keep. */
export interface SharedVerified {
  /** Files that were checked. */
  readonly checked: number;
  /** Bytes that were read. */
  readonly bytes: number;
  readonly problems: number;
  readonly repaired: number;
}

/** The facts of a {@link Problem} that are not the default. */
export type Finding = Pick<Problem, "kind" | "what"> & Partial<Problem>;

export class VerifyRun {
  readonly parts: Parts;
  readonly options: SharedVerifyOptions;
  readonly #counts = { checked: 0, bytes: 0, problems: 0, repaired: 0 };
  /** The time at which more bytes may be read, as performance.now() has it. */
  #readyAt = 0;

  constructor(parts: Parts, options: SharedVerifyOptions) {
    this.parts = parts;
    this.options = options;
  }

  get counts(): SharedVerified {
    return this.#counts;
  }

  /** Waits until a number of bytes may be read. @throws the signal's reason */
  async admit(bytes: number): Promise<void> {
    const { maxBytesPerSecond, signal } = this.options;
    signal?.throwIfAborted();
    if (maxBytesPerSecond === undefined) return;
    const now = performance.now();
    const start = Math.max(now, this.#readyAt);
    this.#readyAt = start + bytes * 1000 / maxBytesPerSecond;
    if (start > now) await wait(start - now, undefined, { signal });
  }

  /** Counts bytes that were read. */
  read(bytes: number): void {
    this.#counts.bytes += bytes;
    this.options.onEvent?.({ type: "bytes", count: bytes });
  }

  /** Counts a file that was checked. */
  done(): void {
    this.#counts.checked++;
    this.options.onEvent?.({ type: "done" });
  }

  report(path: string, finding: Finding): void {
    const problem = { path, repaired: false, expected: null, found: null, ...finding };
    this.#counts.problems++;
    if (problem.repaired) this.#counts.repaired++;
    this.options.onProblem?.(problem);
  }

  /**
   * Yields all rows of a table that exist at the start, in the order of their ids. One statement reads a page.
   *
   * @param columns in SQL, of the rows `page`
   * @param joins in SQL, as `LEFT JOIN ...`
   */
  async *rows<T extends object>(
    table: string,
    pageRows: number,
    columns: string,
    joins = "",
  ): AsyncGenerator<T & { readonly id: number }, void, void> {
    const { db } = this.parts;
    const [{ end }] = await db.all<{ end: number | null }>(`SELECT max(id) AS end FROM ${table}`);
    for (let last = -1; end !== null && last < end;) {
      this.options.signal?.throwIfAborted();
      const rows = await db.all<T & { id: number }>(
        `WITH page AS (SELECT * FROM ${table} WHERE id > $1::bigint AND id <= $2::bigint
           ORDER BY id LIMIT ${pageRows})
         SELECT page.id, ${columns} FROM page ${joins} ORDER BY page.id`,
        last,
        end,
      );
      yield* rows;
      if (rows.length < pageRows) return;
      last = rows.at(-1)!.id;
    }
  }
}
