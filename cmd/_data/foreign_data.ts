/** Explains why a data directory of another user can't be opened. */
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { userName } from "../../core/doctor/user_name.ts";
import { BargeError, typed } from "../../core/error.ts";

/**
 * Adds the owner of a data directory to a refusal of the system.
 *
 * @param error a failure to open the directory
 * @returns the failure; other failures, and those in a directory of this user, as they are
 */
export function nameOwner(error: unknown, data: string): unknown {
  if (Deno.build.os === "windows") return error;
  if (error instanceof TypeError || error instanceof RangeError) return error;
  if (typed(error).kind !== "denied") return error;
  const uid = ownerOf(resolve(data));
  if (uid === undefined || uid === Deno.uid()) return error;
  const owner = userName(uid);
  return new BargeError("denied", `permission denied: it belongs to ${owner ?? `user ${uid}`}`, {
    op: "open",
    path: resolve(data),
    hint: `run the command as its owner: sudo -u ${owner ?? `'#${uid}'`} barge ...`,
    cause: error,
  });
}

/** Returns the user of a path, or of the closest folder above that this user can see. */
function ownerOf(path: string): number | undefined {
  try {
    return statSync(path).uid;
  } catch {
    return path === dirname(path) ? undefined : ownerOf(dirname(path));
  }
}
