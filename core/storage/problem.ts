/** The report of a check of all that is stored: `barge verify`. */

/** The kind of a difference. Stable: printed in `--json`. */
export type ProblemKind =
  /** A file that is recorded, and whose bytes are lost. */
  | "missing"
  /** Bytes that are not recorded, and that barge did not write. */
  | "unknown"
  /** A file whose facts differ from the recorded ones, since it was changed by hand. */
  | "changed"
  /** A file whose bytes do not have the recorded digest, though its size and time are as recorded. */
  | "damaged"
  /** A file on disk whose name is not valid UTF-8: no door can show it, and barge can't read it. */
  | "unnamed"
  /** A file that the system refuses to read. */
  | "unreadable"
  /** The sums of an account, where they differ from its files and uploads. */
  | "sums"
  /** Bytes that barge wrote, and that nothing refers to. */
  | "leftover"
  /** A recorded upload of which nothing is staged. */
  | "empty-upload"
  /** A commit, move or removal whose worker died in the middle of it. */
  | "cut-off";

/** One difference. */
export interface Problem {
  readonly kind: ProblemKind;
  /** A path below the data directory, the name of an object, or the name of an account. */
  readonly path: string;
  readonly what: string;
  readonly repaired: boolean;
  /** The recorded SHA-256 of a damaged file, in hex. */
  readonly expected: string | null;
  /** The SHA-256 of the bytes that were read, in hex. */
  readonly found: string | null;
}

/** The progress of a check. */
export type ReconcileEvent =
  | { readonly type: "plan"; readonly files: number; readonly bytes: number }
  /** `skipped`: bytes of the file that will not be read. */
  | { readonly type: "start"; readonly path: string; readonly skipped: number }
  | { readonly type: "bytes"; readonly count: number }
  | { readonly type: "done" };
