/** The request for an upload. */
import type { WriteCondition } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import type { Location } from "../storage/path.ts";
import type { Place } from "../storage/place.ts";
import type { NewUpload } from "../storage/uploads.ts";

export interface UploadRequest extends Pick<NewUpload, "size" | "modified" | "reserve"> {
  readonly path: string;
  readonly overwrite: WriteCondition;
  /** The first bytes. Default: the partial upload if the size is known, else none. */
  readonly base?: Base;
  /** Whether the client sends bytes only once the upload exists, with its room. */
  readonly announced?: boolean;
  /** Whether the staged bytes that it begins with are read only at its end; it has no `prefix` then. */
  readonly unread?: boolean;
  /** Whether its bytes are those of a file of this server, which need no check. */
  readonly copied?: boolean;
  /** Whether to record its end for `finishedUpload`, in place of the last one to the path. Only with `announced`. */
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
