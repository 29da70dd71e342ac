/** A lock of WebDAV (RFC 4918, section 6). */
import type { Place } from "./place.ts";

/** A lock on a place, or on a folder and all below it. It ends with its file or folder. */
export interface Lock extends Place {
  readonly token: string;
  /** The id of its account. */
  readonly account: number;
  readonly shared: boolean;
  readonly deep: boolean;
  /** The client's description of its user: an XML element, or nothing. */
  readonly owner: string;
  /** The time when it ends, in ms since 1970. */
  readonly until: number;
}
