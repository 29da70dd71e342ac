/** The request for an upload. */
import type { When } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import type { Location } from "../storage/path.ts";
import type { Place } from "../storage/place.ts";

export interface UploadRequest {
  readonly path: string;
  /** Bytes of the whole file; null when unknown. */
  readonly size: number | null;
  /** The time that the file will have, in ms since 1970; null: that of the last write. */
  readonly modified: number | null;
  readonly overwrite: When;
  /** The first bytes. Default: the partial upload if the size is known, else none. */
  readonly base?: Base;
  /** Bytes to reserve at once where the size is not known: no promise that they will come. */
  readonly reserve?: number;
  /**
   * Whether the client announces the upload, and sends bytes only once it has begun: then it exists, with
   * its room, before the first byte.
   */
  readonly announced?: boolean;
  /** Whether the staged bytes that it begins with are read only at the end: there is no `prefix` then. */
  readonly unread?: boolean;
  /** Whether its bytes are those of a file here, which need no check. */
  readonly copied?: boolean;
  /**
   * Whether to record that the upload was finished, for `finishedUpload`; that of the last upload to the
   * path is forgotten when this one begins. Only for announced uploads.
   */
  readonly recorded?: boolean;
}

/**
 * The first bytes of an upload.
 *
 *   fresh   none
 *   old     the file; without one, the partial upload; without that, none
 *   staged  the partial upload, or none; also where the size is not known
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
