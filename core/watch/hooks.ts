/**
 * The hook of an upload's life. In a worker it calls the supervisor, which runs the operator's program
 * (core/serve/hooks/hook_programs.ts).
 *
 *   staged, verified, synced -> [check] -> sealed -> renamed, settled -> acknowledged
 *
 * A running check renews the lease of its upload, as arriving bytes do. If another connection takes the upload
 * over, the check ends, and the new holder's bytes are checked again. A copy at the server is not checked.
 */
import type { DoorName } from "./metrics.ts";

/** Facts about an upload. Programs read them as JSON, so their names are frozen. */
export interface UploadFacts {
  readonly event: "check";
  /** The account that sent the upload and is charged for it. */
  readonly account: string;
  /** The path of the file, as the account sees it at every door: `/home/a/b`. */
  readonly path: string;
  /** The number of the staged bytes. */
  readonly upload: number;
  readonly size: number;
  /** The digest of all bytes, in hex. */
  readonly sha256: string;
  /** The file's time, in RFC 3339. */
  readonly modified: string;
  /** Whether the door proved that all bytes arrived. */
  readonly verified: boolean;
  /** The door that received the upload; null for none. */
  readonly door: DoorName | null;
  /** Whether the upload replaces a file. */
  readonly replaced: boolean;
  /** The time of the hook, RFC 3339. */
  readonly time: string;
}

/** The hooks of one isolate. An upload skips a hook that is undefined. */
export interface Hooks {
  /**
   * Checks an upload before it becomes a file.
   *
   * @param stop cancels the check
   * @throws {BargeError} `refused`; `unavailable`: the check could not run, and may be tried again
   */
  readonly check?: (facts: UploadFacts, stop: AbortSignal) => Promise<void>;
  /** Called when rows of events are written, before their transaction is committed. Neither waits nor throws. */
  readonly eventsWritten?: () => void;
}
