/**
 * Uploads as storage keeps them: from a reservation, over staged bytes, to a file.
 *
 *   begin -> (write, reserve, renewLease)* -> commit    a file, charged
 *                                         \-> detach    a partial upload, which `begin` can resume
 *                                         \-> drop      nothing is left
 *   store                                               a small file whose bytes are all in memory
 *
 * Every implementation promises: a file has all of its bytes or does not exist, also when a process or
 * machine dies at any step; an account's used and reserved bytes together never pass its quota, however many
 * connections and processes write at once; after an upload was taken over, its former holder changes nothing
 * of it. tests/contract/store/ checks these promises.
 */
import { BargeError } from "../error.ts";
import type { FileContent } from "./content.ts";
import type { StoredEntry } from "./entry.ts";
import type { Place } from "./place.ts";
import type { Guard } from "./view.ts";

/** The facts that an upload declares when it begins. */
export interface NewUpload extends Place {
  /** The id of the account that is charged. */
  readonly account: number;
  /** Bytes of the whole file; null when unknown. */
  readonly size: number | null;
  /** The time that the file will have, in ms since 1970; null: that of the last write. */
  readonly modified: number | null;
  /** Bytes to reserve where the size is not known. */
  readonly reserve?: number;
}

/** The facts of content whose bytes have all arrived. */
export interface Content {
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** Whether the client proved that all bytes arrived. */
  readonly verified: boolean;
}

/** The file that an upload became. */
export interface StoredFile {
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly replaced: boolean;
}

/** The decision of a guard that a file may be written: the file that will be replaced, if any. */
export type WriteGuard = Guard<StoredEntry | undefined>;

/** The start of an upload. */
export interface UploadStart {
  /** The most bytes to keep of a partial upload; 0: begin afresh. */
  readonly keep: number;
  /** Whether the kept bytes are first read by `digest`, not at the start. `prefix` is not available then. */
  readonly unread?: boolean;
  /** Whether the upload only keeps the bytes of a body that was cut off. It then replaces no other upload. */
  readonly remains?: boolean;
  /** Whether to record for {@link Uploads.finished} that the upload became a file. */
  readonly recorded?: boolean;
}

/** An account's upload to a path that is not a file yet. */
export interface PartialUpload extends Place {
  readonly id: number;
  /** Bytes that can be resumed. */
  readonly offset: number;
  /** Bytes of the whole file; null when unknown. */
  readonly size: number | null;
  /** The time that the file will have, in ms since 1970, if one was given. */
  readonly modified: number | null;
  /** Whether a connection writes it at this moment. */
  readonly busy: boolean;
  /** The time when it is dropped unless somebody resumes it, in ms since 1970. */
  readonly expires: number;
}

/** The staged bytes of one upload. Calls may overlap, and are carried out in their order. */
export interface StagedBody {
  /** The number of whole bytes: those from the start to the first gap. */
  readonly size: number;
  /** The end of the last byte: more than `size` where there are gaps. */
  readonly length: number;
  /** Returns the SHA-256 of the whole bytes, in hex; only of a body that was appended to. */
  prefix(): string;
  /** Computes the SHA-256 of all bytes, in hex; gaps count as zeros. @param onRead called after each read */
  digest(onRead?: () => void): Promise<string>;
  /** Appends to the whole bytes. Bytes must stay as they are until the promise resolves. */
  write(bytes: Uint8Array): Promise<void>;
  /** Writes at a position, also beyond the end. @throws {BargeError} `refused` for too many gaps */
  writeAt(position: number, bytes: Uint8Array): Promise<void>;
  /** Reads at a position. @returns the number of bytes; 0 at the end */
  readAt(position: number, into: Uint8Array): Promise<number>;
  /** Cuts the body short, or makes it longer by a gap. */
  truncate(length: number): Promise<void>;
  /** Waits for the calls under way, whether they fail or not. */
  settled(): Promise<void>;
  /**
   * Sets the time of the bytes, in ms since 1970, unless it is null, and makes them durable.
   *
   * @param sha256 the digest that {@link digest} returned
   * @returns their time
   * @throws {BargeError} `unavailable` where a former holder's write may have spoiled the bytes; the end of
   *   the upload then drops it
   */
  finish(modified: number | null, sha256: string): Promise<number>;
  /** Returns whether the bytes are still those that {@link finish} made durable. */
  unchanged(): boolean;
}

/** An upload, as its holder sees it. All calls fail once the holder has lost it: see {@link whyLost}. */
export interface OpenUpload {
  readonly id: number;
  readonly body: StagedBody;
  /** Bytes that may be staged. */
  readonly reserved: number;
  /** Whether a newer connection has taken the upload over. Also valid after the upload's end. */
  readonly takenOver: boolean;
  /** Whether others have taken over, removed or moved the upload. Every call then fails. */
  readonly lost: boolean;
  /** Returns the reason why the holder has lost the upload; undefined while it has not. */
  whyLost(): Promise<LostUpload | undefined>;
  /** Reserves at least a sum of bytes, and more where there is room. @throws {BargeError} `over-quota` */
  reserve(total: number): Promise<void>;
  /**
   * Renews the holder's lease, at most every few seconds. The holder calls this with every piece.
   *
   * @param whole also records the number of bytes that can be resumed; null: all that are staged
   * @returns whether the lease was renewed, and the number recorded
   * @throws {BargeError} `unavailable` when the holder has lost the upload
   */
  renewLease(whole?: number | null): boolean;
  /** Renews the lease at once. Otherwise as {@link renewLease}. */
  renewLeaseNow(whole?: number | null): boolean;
  /** Records durably how many bytes can be resumed if its holder dies; null: all that are staged. */
  recordWhole(whole: number | null): Promise<void>;
  /** Gives the upload another path. @throws {BargeError} as the guard; `over-quota` */
  move(place: Place, guard: WriteGuard): Promise<void>;
  /** Takes the upload's path away. Its staged bytes stay reserved. @throws {BargeError} `over-quota` */
  unlink(): Promise<void>;
  /**
   * Makes the upload a file, once its body is finished. If this fails, the caller must detach or drop it.
   *
   * @param guard runs in the step that gives the file its name
   */
  commit(content: Content & { readonly modified: number }, guard: WriteGuard): Promise<StoredFile>;
  /**
   * Ends the upload, and keeps the whole bytes for a resume. After a commit, only closes it.
   *
   * @param empty keep the upload also where nothing is staged
   */
  detach(empty?: boolean): Promise<void>;
  /** Ends the upload, and keeps nothing. */
  drop(): Promise<void>;
}

export interface Uploads {
  /**
   * Begins an upload, or resumes the account's newest upload to the path, even if another connection still
   * writes it.
   *
   * @throws {BargeError} `over-quota`; {@link LostUpload}; with `remains`, `unavailable` where another
   *   upload to the path exists
   */
  begin(upload: NewUpload, start: UploadStart): Promise<OpenUpload>;
  /** The most calls of {@link store} that one connection should have under way. */
  readonly maxPendingStores: number;
  /**
   * Stores a small file. Calls at the same time share their steps.
   *
   * @param content the facts of the bytes
   * @throws {BargeError} as the guard, before `over-quota`; {@link LostUpload}
   */
  store(
    upload: NewUpload,
    content: Content,
    bytes: Uint8Array,
    guard: WriteGuard,
  ): Promise<StoredFile>;
  /** Returns the account's upload to a place that {@link begin} would resume. */
  resumable(account: number, place: Place): Promise<PartialUpload | undefined>;
  /** Returns the account's newest upload to a place, also one that is becoming a file. */
  partial(account: number, place: Place): Promise<PartialUpload | undefined>;
  /** Yields all of an account's uploads that are not sealed, the oldest first. */
  partials(account: number): AsyncIterable<PartialUpload>;
  /**
   * Gives the content of a file a second name, charged like any other write, if storage can do so without
   * moving bytes.
   *
   * @param to the declared facts of the second file; the size in them is ignored
   * @returns undefined where the bytes have to be copied
   * @throws {BargeError} as the guard, before `over-quota`; `not-found`
   */
  copy(from: Place, to: NewUpload, guard: WriteGuard): Promise<StoredFile | undefined>;
  /**
   * Opens the staged bytes of an upload as they are now. They stay readable when the upload has become a
   * file or was dropped.
   *
   * @param modified their time, in ms since 1970
   * @throws {BargeError} as `Tree.open`
   */
  openStaged(upload: number, modified: number): Promise<FileContent>;
  /**
   * Computes the SHA-256 of a partial upload's first bytes, in hex.
   *
   * @returns undefined when the upload is gone meanwhile
   */
  sample(upload: number, bytes: number, signal?: AbortSignal): Promise<string | undefined>;
  /** Returns the last recorded upload of an account to a place, if the file there is that upload's. */
  finished(account: number, place: Place): Promise<{ size: number; expires: number } | undefined>;
  /** Drops an account's uploads to a place, also those under way. @returns the number of them */
  dropAt(account: number, place: Place): Promise<number>;
}

/** The reasons why a holder has lost an upload. */
const reasons = {
  "taken-over": ["unavailable", "the upload was taken over by a newer connection", {
    hint:
      "if the newer connection should not resume it, send the file again when that one has ended",
  }],
  moved: ["no-directory", "its folder was moved meanwhile", {
    hint: "the received bytes are kept under the folder's new name; resume the upload there",
  }],
  "no-folder": ["no-directory", "its folder was removed or moved meanwhile", {}],
  removed: ["unavailable", "the upload was removed meanwhile", { hint: "send it again" }],
  ended: ["unavailable", "the upload was taken over or removed meanwhile", {}],
} as const;

/** The error of a holder that has lost its upload. */
export class LostUpload extends BargeError {
  readonly reason: keyof typeof reasons;

  constructor(reason: keyof typeof reasons) {
    const [kind, message, facts] = reasons[reason];
    super(kind, message, facts);
    this.reason = reason;
  }
}
