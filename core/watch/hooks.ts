/**
 * What the operator wants to be told of uploads, or asked about them. The session decides when; who
 * answers, and how, is behind {@link Hooks}: a worker asks its supervisor (core/serve/hook_programs.ts).
 *
 *   staged, verified, synced -> [check] -> sealed -> renamed, settled -> [committed] -> acknowledged
 *
 * While a check runs its upload is said to move as it would by bytes. Whoever takes it over meanwhile
 * ends the check, and has what is staged then checked again. A copy at the server is not checked, its bytes are here already, and
 * told of like an upload.
 */
import type { DoorName } from "./metrics.ts";

/**
 * Facts about an upload. The supervisor adds where its bytes lie, and hands them to programs as JSON:
 * the names are frozen (core/serve/hook_programs.ts).
 */
export interface UploadFacts {
  readonly event: "check" | "commit";
  /** Who sent it, and is charged for it. */
  readonly account: string;
  /** As that account sees it at every door: `/home/a/b`. */
  readonly path: string;
  /** The number under which its bytes are staged in a check; null after the commit. */
  readonly upload: number | null;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** RFC 3339. */
  readonly modified: string;
  /** Did the door prove that all bytes arrived? */
  readonly verified: boolean;
  /** The door that it came through; null for none. */
  readonly door: DoorName | null;
  /** Does it take the place of a file? */
  readonly replaced: boolean;
  /** When this is told, RFC 3339. */
  readonly time: string;
}

/** Both are left out where nobody wants to know: then an upload costs nothing more. */
export interface Hooks {
  /**
   * May it become a file?
   *
   * @param stop nobody wants the answer any more
   * @throws {BargeError} `refused`: no; `unavailable`: nobody could say, and may be asked again
   */
  readonly check?: (facts: UploadFacts, stop: AbortSignal) => Promise<void>;
  /** It has become one. Neither waits nor throws. */
  readonly committed?: (facts: UploadFacts) => void;
}
