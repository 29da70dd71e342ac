/** What a transfer tells while it runs, and what it comes to: the same for put and get. */
import type { BargeError } from "../../error.ts";

/** What became of one file. */
export interface TransferResult {
  /** The remote path. */
  readonly path: string;
  /** The local path; `-` for standard input or output. */
  readonly local: string;
  /** Bytes of the whole file, as far as known. */
  readonly size: number;
  /** Of the whole file; null where nothing needed it. */
  readonly sha256: string | null;
  /** `sent` whichever the direction; `skipped` when both sides had the same. */
  readonly status: "sent" | "resumed" | "skipped" | "failed";
  /** Where a resumed transfer went on, in bytes. */
  readonly offset: number;
  readonly error: BargeError | null;
  /**
   * For downloads: true if the bytes were compared with the digest that the server stored when the
   * file was written. Null where nothing was fetched; absent for uploads.
   */
  readonly verified?: boolean | null;
}

/** What happens, in the order in which it happens. */
export type TransferEvent =
  | { readonly type: "plan"; readonly files: number; readonly bytes: number }
  | {
    readonly type: "start";
    readonly path: string;
    readonly local: string;
    /** Null when only the end will tell. */
    readonly size: number | null;
    readonly offset: number;
  }
  | { readonly type: "bytes"; readonly count: number }
  | { readonly type: "done"; readonly result: TransferResult }
  | { readonly type: "removed"; readonly path: string; readonly local: string }
  | { readonly type: "note"; readonly message: string };

/** What a whole transfer came to. */
export interface Totals {
  readonly sent: number;
  readonly resumed: number;
  readonly skipped: number;
  readonly failed: number;
  readonly removed: number;
  /** Moved over the wire, or to be moved in a dry run. */
  readonly bytes: number;
  /** The failure to report when all is over: the first. */
  readonly error: BargeError | null;
}

/** Hands events on and keeps count. */
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

  done(result: TransferResult): void {
    this.#count[result.status]++;
    this.#error ??= result.error;
    this.#onEvent?.({ type: "done", result });
  }

  failed(path: string, local: string, error: BargeError, size = 0): void {
    this.done({ path, local, size, sha256: null, status: "failed", offset: 0, error });
  }

  /** @param path the remote path @param local the local path; one of the two was removed */
  removed(path: string, local: string): void {
    this.#count.removed++;
    this.#onEvent?.({ type: "removed", path, local });
  }

  note(message: string): void {
    this.#onEvent?.({ type: "note", message });
  }
}
