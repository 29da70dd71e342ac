/** An upload as doors see it, whether its bytes are in memory or staged: see receive.ts. */
import { counted } from "../counted.ts";
import { BargeError } from "../error.ts";
import type { WriteCondition } from "../login/access.ts";
import type { StoredFile } from "../storage/uploads.ts";

export interface Incoming {
  /** The number of bytes from the start to the first gap. {@link write} appends to them. */
  readonly offset: number;
  /** The end of the last byte. */
  readonly length: number;
  /** The SHA-256 of the bytes that the upload began with, in hex; null for none. */
  readonly prefix: string | null;
  /** The time that the file will have, in ms since 1970; null: that of the last write. */
  readonly modified: number | null;
  /** Whether the upload is committed, detached or dropped. */
  readonly ended: boolean;
  /**
   * Whether a newer connection has taken the upload over. A door must then answer so that the client does
   * not retry: a retry would take the upload back.
   */
  readonly takenOver: boolean;
  /** Whether others have taken over, removed or moved the upload. Every call then fails. */
  readonly lost: boolean;
  /** Renews the upload's lease. @throws {BargeError} `unavailable` when the upload was taken over */
  renewLease(): void;
  /**
   * Appends a piece, which must stay as it is until the promise resolves.
   *
   * @param final whether the piece never changes, so that no copy of it is needed
   * @throws {BargeError} `over-quota`, `no-space`; `protocol` for more than was declared; when the
   *   upload was lost, `unavailable` (taken over), `no-directory` (its folder is gone), `unauthenticated`
   */
  write(bytes: Uint8Array, final?: boolean): Promise<void>;
  /**
   * Writes a piece anywhere, also over other bytes or beyond the end. The piece must stay as it is until
   * the promise resolves.
   *
   * @param position bytes from the start
   * @throws {BargeError} as {@link write}; `refused` for too many gaps
   */
  writeAt(position: number, bytes: Uint8Array): Promise<void>;
  /** Reads at a position. @returns the number of bytes; 0 at the end */
  readAt(position: number, into: Uint8Array): Promise<number>;
  /** Cuts the upload short, or extends it by zeros. @throws {BargeError} as {@link write} */
  truncate(length: number): Promise<void>;
  /** Sets the time that the file will have, in ms since 1970. @throws {BargeError} `usage` */
  setModified(time: number): void;
  /** Stages all bytes, so that others can read them. @returns the number that names the staged bytes */
  stage(): Promise<number>;
  /**
   * Gives the upload another path: a client renamed its file while writing, as POSIX allows for open files.
   *
   * @param overwrite whether the upload may replace a file at that path, now and at the commit
   * @throws {BargeError} as `checkWrite`; `over-quota`; `unavailable` when the upload was taken over
   */
  moveTo(path: string, overwrite: WriteCondition): Promise<void>;
  /**
   * Takes the upload's path away: a client removed its file. The upload is dropped when it ends.
   *
   * @throws {BargeError} `over-quota`
   */
  unlink(): Promise<void>;
  /** Waits until no call is under way. */
  settled(): Promise<void>;
  /**
   * Verifies the upload and makes it a file.
   *
   * @param sha256 the digest of the whole file that the client gave, in hex; null for none
   * @param verified whether the door proved that all bytes arrived
   * @param gone ends the operator's check: the client has left
   * @throws {BargeError} `digest` and `refused` (dropped), `protocol` for fewer bytes than declared, and
   *   as `checkWrite` and the operator's check (detached)
   */
  commit(sha256: string | null, verified: boolean, gone?: AbortSignal): Promise<StoredFile>;
  /**
   * Ends the upload after a failure. If the quota or the disk is full, drops the upload, so that its bytes
   * are free again. After any other failure, detaches it.
   *
   * @throws {BargeError} the reason why the upload could not be kept
   */
  fail(failure: BargeError): Promise<void>;
  /**
   * Ends the upload, and keeps the bytes before the first gap as a partial upload. Waits for the calls under
   * way.
   *
   * @param empty keep an announced upload of which no byte has arrived
   */
  detach(empty?: boolean): Promise<void>;
  /** Ends the upload, and keeps nothing. Waits for the calls under way. */
  drop(): Promise<void>;
}

/** Returns whether a failure means that the quota or the disk is full. */
export function isFull({ kind }: BargeError): boolean {
  return kind === "over-quota" || kind === "no-space";
}

/** Checks the end of a write. @throws {BargeError} `usage`; `protocol` beyond the declared size */
export function checkTotal(total: number, size: number | null): void {
  if (!Number.isSafeInteger(total)) throw new BargeError("usage", "no file is that large");
  if (size === null || total <= size) return;
  throw new BargeError("protocol", `more than the declared ${counted(size, "byte")}`);
}

/** Checks that all declared bytes arrived. @throws {BargeError} `protocol` */
export function checkComplete(length: number, size: number | null): void {
  if (size === null || length === size) return;
  throw new BargeError("protocol", `${length} of ${size} bytes arrived`);
}

/** Compares digests in hex. @param expected null for any. @throws {BargeError} `digest` */
export function checkDigest(actual: string, expected: string | null): void {
  if (expected === null || expected === actual) return;
  throw new BargeError("digest", `the received bytes have SHA-256 ${actual}, not ${expected}`, {
    hint: "the received bytes were dropped; send the file again",
  });
}
