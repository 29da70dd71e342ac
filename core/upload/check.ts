/** Lets the operator's program check uploads. */
import { BargeError } from "../error.ts";
import type { Content, OpenUpload, WriteGuard } from "../storage/uploads.ts";
import type { UploadFacts } from "../watch/hooks.ts";
import type { UploadTarget } from "./request.ts";

/** The interval at which an upload that is checked renews its lease, in ms. */
const renewalIntervalMs = 2000;

type TimedContent = Content & { readonly modified: number };

/**
 * Lets the operator's hook, if there is one, check a staged upload.
 *
 * @param gone ends the check: the client has left
 * @throws {BargeError} as `Hooks.check` and the guard; `io` when the check has changed the staged bytes;
 *   the reason of `gone`; `unavailable` when the upload was taken over
 */
export async function checkUpload(
  target: UploadTarget,
  open: OpenUpload,
  content: TimedContent,
  guard: WriteGuard,
  gone?: AbortSignal,
): Promise<void> {
  const { session, request, location } = target;
  const { hooks, tree } = session.store;
  if (!hooks.check || request.copied) return;
  const replaced = await tree.check(guard);
  const lost = new AbortController();
  const renewing = setInterval(() => {
    try {
      open.renewLeaseNow();
    } catch (error) {
      lost.abort(error);
    }
  }, renewalIntervalMs);
  try {
    const stop = gone ? AbortSignal.any([gone, lost.signal]) : lost.signal;
    await hooks.check(factsOf(target, content, open.id, replaced !== undefined), stop);
  } finally {
    clearInterval(renewing);
  }
  if (open.body.unchanged()) return;
  throw new BargeError("io", "the program that checks uploads has changed the staged file", {
    path: location.path,
  });
}

function factsOf(
  { session, location }: UploadTarget,
  { size, sha256, modified, verified }: TimedContent,
  upload: number,
  replaced: boolean,
): UploadFacts {
  return {
    event: "check",
    account: session.name,
    path: location.path,
    upload,
    size,
    sha256,
    modified: new Date(modified).toISOString(),
    verified,
    door: session.door,
    replaced,
    time: new Date().toISOString(),
  };
}
