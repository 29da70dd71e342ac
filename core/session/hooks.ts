/**
 * What the operator wants to be told of uploads, or asked about them. The session decides when; who
 * answers, and how, is behind {@link Hooks}: a worker asks its supervisor (core/serve/hooks.ts).
 *
 *   staged, verified, synced -> [check] -> sealed -> renamed, settled -> [committed] -> acknowledged
 *
 * While a check runs its upload is said to move as it would by bytes. Whoever takes it over meanwhile
 * ends the check, and has what is staged then checked again. A copy at the server is not checked, its bytes are here already, and
 * told of like an upload.
 */
import { BargeError } from "../error.ts";
import { stagedPlace } from "../vault/staging.ts";
import { checkWrite } from "./access.ts";
import { beat, touchEveryMs } from "./heartbeat.ts";
import type { DoorName } from "./metrics.ts";
import type { Arrived, Facts } from "./publish.ts";

/**
 * Facts about an upload. The supervisor adds where its bytes lie, and hands them to programs as JSON:
 * the names are frozen (core/serve/hooks.ts).
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

/**
 * Has a staged upload checked, where somebody wants to.
 *
 * @param gone ends the check: nobody waits for the upload any more
 * @throws {BargeError} as {@link Hooks.check} and `checkWrite`; `io` when the check has changed the
 *   staged file; why `gone` was aborted; `unavailable` when the upload was taken over
 */
export async function checkUpload(
  arrived: Arrived,
  facts: Facts,
  gone?: AbortSignal,
): Promise<void> {
  const { session, request, location, row } = arrived;
  const { hooks, vault } = session.store;
  if (!hooks.check || request.copied) return;
  const replaced = checkWrite(session, session.account(), location, request.overwrite);
  const place = stagedPlace(row.id);
  const lost = new AbortController();
  const beating = setInterval(() => {
    try {
      beat(session.store, row);
    } catch (error) {
      lost.abort(error);
    }
  }, touchEveryMs);
  try {
    const stop = gone ? AbortSignal.any([gone, lost.signal]) : lost.signal;
    await hooks.check(tell("check", arrived, facts, row.id, replaced), stop);
  } finally {
    clearInterval(beating);
  }
  const now = vault.find(place);
  const same = now?.ino === facts.ino && now.size === facts.size && now.modified === facts.modified;
  if (same) return;
  throw new BargeError("io", "the program that checks uploads has changed the staged file", {
    path: location.path,
  });
}

/** Tells of an upload that has become a file, where somebody wants to know. */
export function tellCommitted(arrived: Arrived, facts: Facts, replaced: boolean): void {
  const { hooks } = arrived.session.store;
  hooks.committed?.(tell("commit", arrived, facts, null, replaced));
}

function tell(
  event: UploadFacts["event"],
  { session, location }: Arrived,
  facts: Facts,
  upload: number | null,
  replaced: boolean,
): UploadFacts {
  return {
    event,
    account: session.name,
    path: location.path,
    upload,
    size: facts.size,
    sha256: facts.sha256,
    modified: new Date(facts.modified).toISOString(),
    verified: facts.verified,
    door: session.door,
    replaced,
    time: new Date().toISOString(),
  };
}
