/** The events and totals of a transfer. */
import type { BargeError } from "../../error.ts";

/** The result of one file. */
export interface TransferResult {
  /** The remote path. */
  readonly path: string;
  /** The local path; `-` for standard input or output. */
  readonly local: string;
  /** Bytes of the whole file, as far as they are known. */
  readonly size: number;
  /** Of the whole file; null if it was not needed. */
  readonly sha256: string | null;
  /**
   * `sent`: uploaded or downloaded, or in a dry run would be; `skipped`: both sides have the same
   * content.
   */
  readonly status: "sent" | "resumed" | "skipped" | "failed";
  /** Where a resumed transfer began, in bytes. */
  readonly offset: number;
  readonly error: BargeError | null;
  /**
   * For downloads: true if the bytes were compared with the digest that the server stored when the
   * file was written. Null if nothing was fetched; absent for uploads.
   */
  readonly verified?: boolean | null;
}

/** Events come in the order in which they happen. */
export type TransferEvent =
  | { readonly type: "plan"; readonly files: number; readonly bytes: number }
  | {
    readonly type: "start";
    readonly path: string;
    readonly local: string;
    /** Null if only the end of the content shows it. */
    readonly size: number | null;
    readonly offset: number;
  }
  | { readonly type: "bytes"; readonly count: number }
  | { readonly type: "done"; readonly result: TransferResult }
  | { readonly type: "removed"; readonly path: string; readonly local: string }
  | { readonly type: "note"; readonly message: string };

/** The counts of a whole transfer. */
export interface Totals {
  readonly sent: number;
  readonly resumed: number;
  readonly skipped: number;
  readonly failed: number;
  readonly removed: number;
  /** Bytes sent or received, or to be sent or received in a dry run. */
  readonly bytes: number;
  /** The first failure of a file. */
  readonly error: BargeError | null;
}

/** Forwards events and counts results. */
export class Report {
  readonly #onEvent: ((event: TransferEvent) => void) | undefined;
  readonly #count = { sent: 0, resumed: 0, skipped: 0, failed: 0, removed: 0 };
  #bytes = 0;
  #error: BargeError | null = null;

  constructor(onEvent?: (event: TransferEvent) => void) {
    this.#onEvent = onEvent;
  }

  get totals(): Totals {
    return { ...this.#count, bytes: this.#bytes, error: this.#error };
  }

  plan(files: number, bytes: number): void {
    this.#onEvent?.({ type: "plan", files, bytes });
  }

  start(path: string, local: string, size: number | null, offset = 0): void {
    this.#onEvent?.({ type: "start", path, local, size, offset });
  }

  bytes(count: number): void {
    if (count === 0) return;
    this.#bytes += count;
    this.#onEvent?.({ type: "bytes", count });
  }

  /** Reports a result; the fields that are not given are null or 0. */
  done(
    facts: Pick<TransferResult, "path" | "local" | "size" | "status"> & Partial<TransferResult>,
  ) {
    const result = { sha256: null, offset: 0, error: null, ...facts };
    this.#count[result.status]++;
    this.#error ??= result.error;
    this.#onEvent?.({ type: "done", result });
  }

  failed(path: string, local: string, error: BargeError, size = 0): void {
    this.done({ path, local, size, status: "failed", error });
  }

  /** Reports a removal at either path. */
  removed(path: string, local: string): void {
    this.#count.removed++;
    this.#onEvent?.({ type: "removed", path, local });
  }

  note(message: string): void {
    this.#onEvent?.({ type: "note", message });
  }
}
