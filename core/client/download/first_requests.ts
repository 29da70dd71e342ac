/** The requests that a download makes first, to be sent with the proof of a login. */
import type { AheadRequest } from "../ahead.ts";
import { baseName, parentOf, trimSlashes } from "../path.ts";
import { Folders } from "./folders.ts";
import { isStandardOutput } from "./local_target.ts";
import { partPrefix } from "./part.ts";
import { fileRequest, streamRequest } from "./request.ts";
import { fileTarget, type GetOptions } from "./source.ts";

/**
 * Returns the first requests of `get`: for the facts of the sources, and for the bytes of a single file unless
 * the download may not need all of them, or not at once.
 *
 * @param sources remote paths
 * @param target a local path; `-` is standard output
 */
export function firstRequests(
  sources: readonly string[],
  target: string,
  options: Pick<
    GetOptions,
    "recursive" | "update" | "checksum" | "noClobber" | "dryRun" | "verify"
  >,
): readonly AheadRequest[] {
  const paths = sources.map(trimSlashes);
  const { recursive, update, checksum, noClobber, dryRun, verify = true } = options;
  const requests = paths.flatMap((path): AheadRequest[] => {
    const stat = { verb: "stat", path } as const;
    return recursive ? [stat, { verb: "list", path, recursive }] : [stat];
  });
  if (sources.length > 1 || recursive || update || checksum || noClobber || dryRun) return requests;
  const [path] = paths;
  if (mustWait(path, target)) return requests;
  const get = isStandardOutput(target) ? streamRequest(path) : fileRequest(path, 0, verify);
  return [...requests, get];
}

/**
 * Returns whether the request for the bytes must wait: an earlier run may have left a part of the file, or the target
 * is a FIFO or a device, whose open may wait for a reader.
 */
function mustWait(path: string, target: string): boolean {
  try {
    const { type, local } = fileTarget(target, baseName(path), false);
    if (type === "stream") return !isStandardOutput(local);
    const prefix = partPrefix(baseName(local));
    return new Folders().parts(parentOf(local)).some((name) => name.startsWith(prefix));
  } catch {
    return true; // the download fails with the reason
  }
}
