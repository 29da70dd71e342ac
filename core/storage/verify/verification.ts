/**
 * The regular verification of all files (`serve --verify-every`): rounds that read everything slowly, and repair
 * nothing.
 *
 *   idle -> (due) under way -> finished: idle
 *             |  ^
 *   a crash, or a stop: the position stays, and a later start goes on from there
 *
 * Storage keeps the state in one row. On shared storage one node has a lease on the round: if its lease ends,
 * another node goes on.
 */
import type { Problem, ProblemKind } from "../problem.ts";

/** The numbers of a round. */
export interface VerifyCounts {
  readonly files: number;
  readonly bytes: number;
  /** Files whose bytes are lost, changed or can't be read. */
  readonly bad: number;
}

export interface VerificationState extends VerifyCounts {
  /** When the round under way began, in ms since 1970; null for none. */
  readonly began: number | null;
  /** The last file, or content, that it has checked; "" for none. Only storage knows its format. */
  readonly position: string;
  /** When the last round ended; null for never. */
  readonly finished: number | null;
  /** The numbers of that round; null for none. */
  readonly last: VerifyCounts | null;
}

/** The progress of a round. */
export interface VerifyProgress extends VerifyCounts {
  readonly position: string;
}

/** A check of all files from a position on. */
export interface VerifyOptions {
  /** The position to go on from; "" for the beginning. */
  readonly after: string;
  readonly maxBytesPerSecond: number;
  readonly signal: AbortSignal;
  /** Called for each checked file, or content with its number of files. */
  readonly onChecked: (position: string, files: number) => Promise<void> | void;
  readonly onBytes: (bytes: number) => void;
  readonly onProblem: (problem: Problem) => void;
}

export interface Verification {
  /** Returns the state. @throws {BargeError} as the database */
  read(): Promise<VerificationState>;
  /**
   * Takes the round under way, or begins one if the last round ended long enough ago.
   *
   * @param everyMs the time from the end of a round to the next one
   * @returns the state to go on from; undefined where no round is due, or another node has it
   */
  take(everyMs: number): Promise<VerificationState | undefined>;
  /** Saves the progress of the round. @returns false where another node has taken the round */
  save(progress: VerifyProgress): Promise<boolean>;
  /** Ends the round. @returns as {@link save} */
  finish(counts: VerifyCounts): Promise<boolean>;
  /** Lets another node go on. */
  release(): Promise<void>;
  /** Checks the files. @throws the signal's reason; {BargeError} as the storage */
  check(options: VerifyOptions): Promise<void>;
}

const badKinds: ReadonlySet<ProblemKind> = new Set<ProblemKind>(
  ["damaged", "missing", "changed", "unreadable"],
);

/** Returns whether a problem is one of a file's bytes. */
export function isBad({ kind }: Problem): boolean {
  return badKinds.has(kind);
}

/** A state as the columns of its row. */
export interface VerificationRow extends Omit<VerificationState, "last"> {
  /** JSON. */
  readonly summary: string | null;
}

/** Returns the state that columns hold. */
export function verificationState({ summary, ...row }: VerificationRow): VerificationState {
  return { ...row, last: summary === null ? null : JSON.parse(summary) };
}
