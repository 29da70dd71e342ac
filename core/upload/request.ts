/** The request for an upload. */
import type { WriteCondition } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import type { Location } from "../storage/path.ts";
import type { Place } from "../storage/place.ts";
import type { NewUpload } from "../storage/uploads.ts";

export interface UploadRequest extends Pick<NewUpload, "size" | "modified" | "reserve"> {
  readonly path: string;
  readonly overwrite: WriteCondition;
  /** The bytes to begin with. Default: the partial upload if the size is known, else none. */
  readonly base?: Base;
  /** Whether the client sends bytes only after the upload has been made and its bytes are reserved. */
  readonly announced?: boolean;
  /**
   * Whether the staged bytes that are resumed are read only at the end of the upload, for its digest.
   * `Incoming.prefix` is not available then.
   */
  readonly unread?: boolean;
  /** Whether the bytes are copied from a file of this server, and need no check by the operator. */
  readonly copied?: boolean;
  /**
   * Whether to record for `finishedUpload` that the upload became a file; a new upload deletes the record
   * of the last one to the path. An upload that stays in memory (gathering.ts) is not recorded.
   */
  readonly recorded?: boolean;
}

/**
 * The bytes that an upload begins with.
 *
 *   fresh   none
 *   old     the file; without one, the partial upload; without that, none
 *   staged  the partial upload, whether or not the size is known; without one, none
 *   N       the first N bytes of the partial upload, or of the file where the upload has fewer
 *   file N  the first N bytes of the file
 */
export type Base = "fresh" | "old" | "staged" | number | { readonly file: number };

/** A request with its checked path. */
export interface UploadTarget {
  readonly session: Session;
  readonly request: UploadRequest;
  readonly location: Location;
  readonly place: Place;
}
