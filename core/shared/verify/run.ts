/** One run of `barge verify` over shared storage: its options, its counts, and its reports. */
import { Pacer } from "../../storage/verify/pacer.ts";
import type { Problem, ReconcileEvent } from "../../storage/problem.ts";
import type { Parts } from "../bucket/parts.ts";

export interface SharedVerifyOptions {
  /** Correct sums, and remove objects that nothing refers to. Files are never changed. */
  readonly repair: boolean;
  /** Read all bytes, and compare them with their digests. Otherwise, only the sizes of objects are checked. */
  readonly contents?: boolean;
  /** The most bytes to read in a second. Default: as fast as the store answers. */
  readonly maxBytesPerSecond?: number;
  /** The id of the last content that an earlier run has checked: this run goes on from there. Default: none. */
  readonly after?: number;
  /** The contents that are read at the same time. Default: 4. */
  readonly readers?: number;
  /** Called when a content with a number of files was checked. With one reader, in the order of the ids. */
  readonly onChecked?: (content: number, files: number) => Promise<void> | void;
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
  readonly #pacer: Pacer;

  constructor(parts: Parts, options: SharedVerifyOptions) {
    this.parts = parts;
    this.options = options;
    this.#pacer = new Pacer(options.maxBytesPerSecond, options.signal);
  }

  get counts(): SharedVerified {
    return this.#counts;
  }

  /** Waits until a number of bytes may be read. @throws the signal's reason */
  async admit(bytes: number): Promise<void> {
    await this.#pacer.admit(bytes);
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
   * @param after the id of the row to begin after; default: the first row
   */
  async *rows<T extends object>(
    table: string,
    pageRows: number,
    columns: string,
    joins = "",
    after = -1,
  ): AsyncGenerator<T & { readonly id: number }, void, void> {
    const { db } = this.parts;
    const [{ end }] = await db.all<{ end: number | null }>(`SELECT max(id) AS end FROM ${table}`);
    for (let last = after; end !== null && last < end;) {
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
