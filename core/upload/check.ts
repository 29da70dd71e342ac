/** Asks the operator's hook about an upload, and reports uploads to it. */
import { BargeError } from "../error.ts";
import { stagedPlace } from "../local/vault/staging.ts";
import { checkWrite } from "../login/access.ts";
import type { UploadFacts } from "../watch/hooks.ts";
import { beat, touchEveryMs } from "./heartbeat.ts";
import type { Arrived, Facts } from "./publish.ts";

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
  const replaced = checkWrite(session, session.accountNow(), location, request.overwrite);
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
