/**
 * The places where workers can't be confined: below /dev, /proc and /sys the runtime gives files only
 * to code that has all permissions, also on a tmpfs in /dev/shm.
 */
import { basename, dirname, join, resolve } from "node:path";
import { BargeError } from "../error.ts";

/**
 * Refuses a data directory, which may not be there yet, where workers can't be confined.
 *
 * @throws {BargeError} `usage`
 */
export function needConfinable(data: string): void {
  const path = realPathOf(resolve(data));
  if (isUnconfinable(path)) throw unconfinable(path);
}

/** Reports whether the runtime gives files at a real path only to code that has all permissions. */
export function isUnconfinable(path: string): boolean {
  return /^\/(dev|proc|sys)(\/|$)/.test(path);
}

/** The failure for such a place, with a way out. */
export function unconfinable(path: string): BargeError {
  return new BargeError("usage", "workers can't be confined below /dev, /proc and /sys", {
    ...{ op: "use data directory", path },
    hint: "put it elsewhere (a tmpfs can be mounted anywhere), or accept that with --unconfined",
  });
}

/** The real path of what exists of a path, and the rest as it is. */
function realPathOf(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realPathOf(above), basename(path));
  }
}
